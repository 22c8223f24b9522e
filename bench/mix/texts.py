"""What is said in the generated programmes: own prose. A line begins with its speaker's number."""

from __future__ import annotations

SPORT = """
0 Welcome back to a packed stadium on a cold and windy night in the north!
0 Twenty minutes gone, no goals yet, but this is a wonderful game of football.
1 It really is, and the home side have been the better team so far.
0 Here comes Carter down the left, he beats one man, he beats two!
0 He looks up, he plays it inside to Mendes, and Mendes shoots!
1 Oh, what a save by the young goalkeeper!
0 Brilliant from Novak, only nineteen years old, in his third game for the club.
1 He had to be quick, because that shot was moving very late in the wind.
0 Corner to the home team, their fifth already tonight.
0 Carter takes it, high to the far post, and the header goes just wide!
1 That was Thompson, six feet four, and nobody was close to him.
0 Mendes to Carter, Carter back to Mendes, this is lovely football.
0 He is down inside the box, and the referee points to the spot!
1 Penalty, and I think that is the right decision, because he touched his leg.
0 So Carter puts the ball down, twelve yards from the goal.
0 He has scored nine goals this season, and three of them were penalties.
1 Novak is moving on his line, trying to make him wait.
0 Carter runs, he shoots, and it is in the net!
0 One nil to the home team, and listen to this stadium!
1 He sent the goalkeeper the wrong way, very calm, very clean.
0 Twenty six minutes on the clock, and the game has a goal.
0 The visitors start again, and they need an answer before half time.
1 Watch their captain, Duarte, he is the best passer in the league.
0 Duarte with a long ball over the top, and Silva is through!
0 Only the goalkeeper to beat, he goes around him, he must score!
0 He hits the post, he hits the post from five metres!
1 I cannot believe it, he did everything right except the last touch.
0 The ball is still alive, the second shot comes, and it is cleared off the line!
1 That was Harris, what a night he is having in defence.
0 Both teams are running up and down without a break.
0 There is a foul in the middle, and a yellow card for Jensen.
1 That is his fourth of the season, so he will miss the next match.
0 Ten minutes until the break, and the rain is getting heavier.
0 Thompson wins it in the air, he always wins it in the air.
0 Quick throw, Mendes turns, he is fast, he is so fast!
0 He leaves Jensen behind, into the box, he passes to Carter!
0 Carter scores, his second of the night, two nil!
1 What a team goal, fourteen passes and nobody could stop them.
0 The whole bench is on the pitch, the coach is hugging everybody.
1 He told me this morning that they would play without fear tonight.
0 Now the visitors change, number seventeen is coming on for Jensen.
1 They need fresh legs on the right, because Carter has been too quick for them.
0 One minute more, says the fourth official, just one minute before the break.
0 A last attack, a last cross, and Novak catches it.
0 And there is the whistle, two goals to nothing at half time!
1 Stay with us, we will be back in a moment with the best pictures.
"""

MUSIC = """
0 Good evening, and thank you for joining us on our music hour.
0 Tonight we are talking about the songs that people remember all their lives.
1 It is a beautiful subject, because everybody has such a song.
0 My guest wrote her first melody when she was only eleven years old.
1 That is true, and I wrote it on a very old piano in my grandmother's kitchen.
1 The neighbours could hear every note, and they were patient with me.
0 Later you moved to the city and played in a small club near the river.
1 We played three nights a week, and sometimes there were only six people.
1 But one of them worked for the radio, and he asked us for a recording.
0 That recording changed everything, and the band travelled for two years.
1 We saw forty towns, and I learned something new in each of them.
0 What would you say to a young musician who is listening tonight?
1 Play with other people as often as you can, and never be afraid of a mistake.
1 The best ideas come when something goes wrong and nobody stops.
0 Your new album was recorded in a wooden house in the mountains.
1 Yes, you can hear the rain and the fire in some of the songs.
0 We will play the first of them in a few minutes, so please stay with us.
"""


def lines(text: str) -> tuple[tuple[int, str], ...]:
    """(number of the speaker, what is said) of each line."""
    split = (line.partition(" ") for line in text.strip().splitlines())
    return tuple((int(number), said) for number, _, said in split)
