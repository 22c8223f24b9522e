"""What is said to ask which language it is: own prose, from one word to a long sentence.

Fifty lines of each language, in no order of length, so that any ten of them are a fair sample. None
is the same in both: "gol" is "goal" to whoever hears no other word.
"""

from __future__ import annotations

ENGLISH = """
Good evening and welcome to the programme.
Yes, absolutely.
The council will vote on the new budget next Tuesday, and nobody knows how it will end.
What a goal!
He looks up, he plays it inside, and the shot goes just over the bar.
What do you mean?
More than two thousand people came to the harbour to see the ship arrive.
Thank you very much.
I think that we should wait until the rain stops.
Silva to Duarte, Duarte back to Silva.
The doctor said that she will be home again by the end of the week.
Not now.
It was the coldest winter that anybody in the village could remember.
Ladies and gentlemen, please take your seats.
My grandfather built this boat with his own hands, long before I was born.
Corner kick for the visitors.
Prices have risen by three percent since the spring, and wages have not.
Oh, what a save!
We had no idea that the bridge was closed.
Of course, we asked the minister for an answer, but he did not want to talk to us.
Seven minutes to go.
The train to the coast leaves from platform nine at a quarter past six.
Where were you last night?
She opened the window, and the smell of fresh bread came in from the street.
That is not what I said.
The police are looking for a man in a red jacket who was seen near the bank.
Ready?
In the second half they played with much more courage and scored twice.
Our correspondent is in Lisbon tonight.
Nobody expected that a team from such a small town could win the cup.
Let us have a look at the weather.
He has been the mayor of this city for eleven years.
Wonderful, just wonderful.
The children were playing in the garden, and their mother was reading a book.
How much does it cost?
Scientists have found water under the ice, at a depth of almost two miles.
I do not believe it.
They will need a new roof, new windows and probably a new kitchen too.
Free kick, thirty yards out.
If you have just joined us, here is the story so far.
The referee has seen enough, and he sends him off.
Please call us, the lines are open.
We walked along the river until it was dark, and we did not meet anybody.
Maria, can you hear us?
The museum has bought two paintings that were believed to be lost.
Wait a moment.
This is the last lap, and there are only four of them left at the front.
I learned to cook from my aunt, who had a small restaurant near the station.
So what happens next?
That is all for tonight, good night and see you tomorrow.
"""

PORTUGUESE = """
Boa noite e bem-vindos ao nosso programa.
Sim, com certeza.
A câmara vai votar o novo orçamento na próxima terça-feira, e ninguém sabe como isso vai acabar.
Que golaço!
Ele levanta a cabeça, toca para dentro, e o chute passa por cima do travessão.
O que você quer dizer?
Mais de duas mil pessoas foram ao porto para ver a chegada do navio.
Muito obrigado.
Acho que devemos esperar até a chuva parar.
Silva para Duarte, Duarte de volta para Silva.
A médica disse que ela volta para casa até o fim da semana.
Agora não.
Foi o inverno mais frio de que alguém na aldeia conseguia se lembrar.
Senhoras e senhores, por favor, tomem seus lugares.
Meu avô construiu este barco com as próprias mãos, muito antes de eu nascer.
Escanteio para os visitantes.
Os preços subiram três por cento desde a primavera, e os salários não.
Nossa, que defesa!
Nós não sabíamos que a ponte estava fechada.
É claro que pedimos uma resposta ao ministro, mas ele não quis falar conosco.
Faltam sete minutos.
O trem para o litoral sai da plataforma nove às seis e quinze.
Onde você estava ontem à noite?
Ela abriu a janela, e o cheiro de pão fresco entrou da rua.
Não foi isso que eu disse.
A polícia procura um homem de jaqueta vermelha que foi visto perto do banco.
Pronto?
No segundo tempo eles jogaram com muito mais coragem e marcaram duas vezes.
Nosso correspondente está em Londres esta noite.
Ninguém esperava que um time de uma cidade tão pequena pudesse ganhar a taça.
Vamos dar uma olhada na previsão do tempo.
Ele é prefeito desta cidade há onze anos.
Maravilhoso, simplesmente maravilhoso.
As crianças brincavam no jardim, e a mãe delas lia um livro.
Quanto custa?
Os cientistas encontraram água debaixo do gelo, a quase três quilômetros de profundidade.
Eu não acredito.
Eles vão precisar de um telhado novo, janelas novas e provavelmente uma cozinha nova também.
Falta na entrada da área.
Se você acabou de chegar, aqui está um resumo da história.
O árbitro já viu o bastante, e ele está expulso.
Por favor, liguem para nós.
Caminhamos ao longo do rio até escurecer, e não encontramos ninguém.
Maria, você está nos ouvindo?
O museu comprou dois quadros que se acreditava estarem perdidos.
Espere um momento.
Esta é a última volta, e só restam quatro deles na frente.
Aprendi a cozinhar com minha tia, que tinha um pequeno restaurante perto da estação.
E o que acontece agora?
Por hoje é só, boa noite e até amanhã.
"""


def lines(text: str) -> tuple[str, ...]:
    """The lines of a text."""
    return tuple(text.strip().splitlines())
