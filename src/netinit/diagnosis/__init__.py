"""Why a network will not train, told before it trains.

`case` runs the batch and sorts what it sees, `repeats` finds layers of equal numbers; `layer_faults` and
`depth_faults` ask the questions, `remedies` answers what to do, and `report` puts it into words.
"""

from netinit.diagnosis.case import Finding
from netinit.diagnosis.report import Diagnosis, diagnose

__all__ = ["Diagnosis", "Finding", "diagnose"]
