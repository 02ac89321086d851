"""Reads metrics in Prometheus' text format on standard input and prints what it understood."""

import json
import sys

from prometheus_client.parser import text_string_to_metric_families

json.dump(
    [
        {
            "name": family.name,
            "type": family.type,
            "help": family.documentation,
            "samples": [[sample.name, sample.labels, sample.value] for sample in family.samples],
        }
        for family in text_string_to_metric_families(sys.stdin.read())
    ],
    sys.stdout,
)
