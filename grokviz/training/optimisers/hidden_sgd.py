"""Gradient descent with momentum on hidden matrices, AdamW on embeddings and vectors.

The same division of labour as Muon's, so that the two differ in the hidden update alone.
Source: the runs that are called SGDM in PeterPonyu/muon-norm-cap-grokking.
"""

from __future__ import annotations

from grokviz.training.optimisers import adamw, nesterov
from grokviz.training.optimisers.rule import UpdateRule

RULE = UpdateRule(adamw.build, hidden=nesterov.build)
