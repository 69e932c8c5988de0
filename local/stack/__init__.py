"""The repository's own template on a local AWS, and those around it: who sends to it, whom it calls, and what of AWS
the local AWS lacks. Loopback only.

What a make target starts stands above, a script each; what scripts and tests share stands here.
"""
