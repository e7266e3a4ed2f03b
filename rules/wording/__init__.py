"""A rule in words."""

from .parts import Known, Names, Part, plain
from .sentence import sentence

__all__ = ["Known", "Names", "Part", "plain", "sentence"]
