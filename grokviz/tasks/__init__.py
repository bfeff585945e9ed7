"""What a network learns: one file a task, giving tokens, targets, scored positions, a split."""

from grokviz.tasks.batch import Batch
from grokviz.tasks.digit_addition import DigitAddition
from grokviz.tasks.modular_addition import ModularAddition
from grokviz.tasks.repeated_subsequence import RepeatedSubsequence
from grokviz.tasks.skip_trigram import SkipTrigram

__all__ = ["Batch", "DigitAddition", "ModularAddition", "RepeatedSubsequence", "SkipTrigram"]
