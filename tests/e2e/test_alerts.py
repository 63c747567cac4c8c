"""The alert rules that are shipped: promtool takes them, and each names metrics that there are."""

import pathlib
import re
import subprocess

import triggerd_process
from client import new_event
from server_case import ServerCase

RULES = pathlib.Path(__file__).resolve().parents[2] / "deploy" / "prometheus" / "alerts.yml"
# Made by Prometheus itself.
OF_PROMETHEUS = {"up"}
WORDS = {"by", "sum", "rate", "and", "time", "increase", "deriv", "histogram_quantile"}


def expressions():
    """{alert: its expression}, of the one form in which the file is written."""
    found, alert, lines = {}, None, RULES.read_text().splitlines()
    for number, line in enumerate(lines):
        if match := re.match(r"      - alert: (\w+)$", line):
            alert = match.group(1)
        elif match := re.match(r"        expr: (.*)$", line):
            text = match.group(1)
            if text == "|":
                rest = iter(lines[number + 1:])
                text = ""
                while (more := next(rest)).startswith("          "):
                    text += more
            found[alert] = text
    return found


def names_in(expression):
    """The metrics of an expression: what is left without labels, times and functions."""
    bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]|\bby \([^)]*\)", " ", expression)
    return {word for word in re.findall(r"[a-zA-Z_]\w*", bare)} - WORDS


class Alerts(ServerCase):
    def test_promtool_takes_them(self):
        done = subprocess.run(["promtool", "check", "rules", "--lint-fatal", str(RULES)],
                              capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn(f"{len(expressions())} rules found", done.stdout)

    def test_every_expression_names_metrics_and_labels_that_there_are(self):
        self.folder.write_config({"admin": {"metrics_public": True}})
        self.launch()
        receiver = self.receive()
        self.client.create_webhook(receiver.url("/hook"))
        (event,) = self.client.publish(new_event())
        self.wait_status(event, "delivered")
        page = self.connect(org=None, key=None).get("/metrics").body.decode()
        series = set(re.findall(r"^(\w+)(?:\{| )", page, re.MULTILINE))
        self.assertGreater(len(expressions()), 10)
        for alert, expression in expressions().items():
            names = names_in(expression)
            self.assertTrue(names, alert)
            self.assertEqual(names - series - OF_PROMETHEUS, set(), alert)
            for name, labels in re.findall(r"(\w+)\{([^}]*)\}", expression):
                for label, value in re.findall(r'(\w+)="([^"]*)"', labels):
                    # `job` is Prometheus's; a status is there once it was answered.
                    if label in ("job", "code"):
                        continue
                    self.assertRegex(page, rf'(?m)^{name}\{{[^}}]*{label}="{value}"', alert)


if __name__ == "__main__":
    triggerd_process.main()
