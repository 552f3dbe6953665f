# SPDX-License-Identifier: GPL-2.0-or-later
"""test_monitoring.py - alert rules and dashboard: they are right, and name metrics that there are"""

import json
import pathlib
import re
import subprocess

from lab import BUILD, PATIENCE, TOP

PROMTOOL = BUILD / "servers" / "prometheus" / "usr" / "bin" / "promtool"
MONITORING = TOP / "docs" / "monitoring"
ALERTS = MONITORING / "alerts.yml"
ALERTS_TEST = pathlib.Path(__file__).parent / "alerts_test.yml"
NODE_EXPORTER = {"node_textfile_mtime_seconds"}
METRIC = r"\b(?:pasvd|node)_[a-z_]*[a-z]\b"


def promtool(*words):
    done = subprocess.run([PROMTOOL, *words], capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stdout + done.stderr


def printed():
    """Names of the metrics that pasvctl has."""
    return set(re.findall(r'"(pasvd_[a-z_]*[a-z])"', (TOP / "src" / "pasvctl" / "metrics.c").read_text()))


def dashboard():
    return json.loads((MONITORING / "dashboard.json").read_text())


def expressions():
    return [target["expr"] for panel in dashboard()["panels"] for target in panel["targets"]]


def test_alert_rules_are_right():
    promtool("check", "rules", str(ALERTS))


def test_alerts_fire_when_they_should_and_not_otherwise():
    promtool("test", "rules", str(ALERTS_TEST))


def test_each_alert_is_tested():
    alerts = re.findall(r"- alert: (\w+)", ALERTS.read_text())
    assert alerts and sorted(alerts) == sorted(re.findall(r'alertname="(\w+)"', ALERTS_TEST.read_text()))


def test_expressions_of_the_dashboard_are_right(tmp_path):
    rules = [{"record": f"panel:{number}", "expr": expr.replace("$__rate_interval", "5m")}
             for number, expr in enumerate(expressions())]
    path = tmp_path / "rules.yml"
    path.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    promtool("check", "rules", str(path))


def test_panels_of_the_dashboard_are_told_apart():
    panels = dashboard()["panels"]
    for value in [panel["id"] for panel in panels], [str(panel["gridPos"]) for panel in panels]:
        assert len(set(value)) == len(panels)


def test_metrics_that_are_named_exist():
    text = ALERTS.read_text() + json.dumps(dashboard()) + (MONITORING / "README.md").read_text()
    named = {name for name in re.findall(METRIC, text)}
    assert named and named <= printed() | NODE_EXPORTER, named - printed()


def test_metrics_are_documented():
    page = (TOP / "man" / "pasvctl.8").read_text().split(".Sh METRICS", 1)[1]
    assert set(re.findall(r"^\.It Ic (pasvd_\w+)$", page, re.M)) == printed()
