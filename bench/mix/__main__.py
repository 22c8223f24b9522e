from bench.mix.run import main

main()
