"""`python -m syncjob` is the command `syncjob`."""

from syncjob.cli import main

if __name__ == "__main__":
    main()
