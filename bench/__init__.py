"""Measurements: each figure as a line `name value unit`, ratios against a floor of the same run."""
