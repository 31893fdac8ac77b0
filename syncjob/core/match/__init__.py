"""Which parties of two sides are one: pure, the same for any order of rows and any ids.

`match.match` proposes links between two sides and doubles inside each, `match.doubles` looks at one
side; `records` holds what they take and give. docs/matching.md says in words how a pair is scored;
`parameters.py` holds every number. This file imports none of them: what a proposal looks like is
asked by every command, and the comparing, with its libraries, by few.
"""
