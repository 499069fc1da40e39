"""Explanation 得分解释: from a number down to events, evidence and basis."""
