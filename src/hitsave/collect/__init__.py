"""Collecting: what nothing refers to goes, and what is worth least where there is too much.

Owns which call records stay, and what stays because of them. Refuses to touch what somebody asked
to be kept: experiments, pinned calls, snapshots in the catalogue, and what restored links lead to.
"""
