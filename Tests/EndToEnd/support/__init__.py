"""What the tests share: programs that run, people who sign in, applications that ask for tokens."""
