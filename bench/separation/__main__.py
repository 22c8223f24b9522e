from bench.separation.run import main

main()
