"""Figures to words: medians with their spread, goals and whether they are met, benches/README.md."""

import os
import platform
import re
import shutil
import statistics
import subprocess
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).resolve().parent / "README.md"
BEGIN, END = "<!-- written by benches/run: begin -->", "<!-- written by benches/run: end -->"


@dataclass
class Table:
    """One benchmark: what was measured, a row for each program, and the goals."""

    title: str
    about: str
    heads: list
    rows: list
    goals: list


@dataclass
class Goal:
    """What was to be reached, and what was."""

    words: str
    reached: str
    met: bool


def spread(values, digits=2):
    """The median, and the least and greatest value."""
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{middle:.{digits}f} ({low:.{digits}f} .. {high:.{digits}f})"


def percentile(values, share):
    """The smallest value that is not below `share` of all."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class Others:
    """How busy the machine was with anything but the benchmark, as a share of all its cores."""

    def __init__(self):
        self.before = self.seen()

    @staticmethod
    def seen():
        ticks = [int(one) for one in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
        used = os.times()
        ours = used.user + used.system + used.children_user + used.children_system
        idle = ticks[3] + ticks[4]
        return sum(ticks), sum(ticks) - idle, ours * os.sysconf("SC_CLK_TCK")

    def share(self):
        """Since this was made. Servers must have ended: what they used is known only then."""
        every, busy, ours = (now - then for now, then in zip(self.seen(), self.before))
        return max(0.0, busy - ours) / every


def machine(versions, others):
    """What all of this ran on."""
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    memory = re.search(r"MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text())
    return [
        f"{model[1] if model else platform.machine()}, {len(os.sched_getaffinity(0))} cores, "
        f"{int(memory[1]) / 2**20:.0f} GiB; {platform.system()} {platform.release()}",
        "; ".join(versions),
        "of the cores' time, what else ran meanwhile took "
        + ", ".join(f"{share:.0%} ({name})" for name, share in others),
    ]


def version(command, *arguments):
    """The first line in which a program says what it is."""
    if not shutil.which(command):
        return f"no {Path(command).name}"
    said = subprocess.run([command, *arguments], capture_output=True, text=True)
    lines = (said.stdout + said.stderr).strip().splitlines()
    # curl names its libraries too; the TLS library is what matters here.
    words = lines[0].split(" ")
    libraries = [word for word in words if word.startswith(("OpenSSL/", "GnuTLS/"))]
    if Path(command).name in ("curl", "xh", "openssl"):
        return " ".join(words[:2] + libraries)
    return lines[0].replace("nginx version: ", "")


def table(one):
    """A benchmark as Markdown."""
    lines = [f"### {one.title}", "", one.about, ""]
    lines.append("| " + " | ".join(one.heads) + " |")
    lines.append("|---" * len(one.heads) + "|")
    lines += ["| " + " | ".join(row) + " |" for row in one.rows]
    lines += ["", "| goal | reached | met |", "|---|---|---|"]
    lines += [
        f"| {goal.words} | {goal.reached} | {'yes' if goal.met else '**no**'} |"
        for goal in one.goals
    ]
    return "\n".join(lines)


def written(about, tables):
    """Puts the results between the marks of the page; gives back the text."""
    parts = ["\n".join(f"- {line}" for line in about), *map(table, tables)]
    text = "\n\n".join(parts)
    page = PAGE.read_text()
    head, _, rest = page.partition(BEGIN)
    _, _, tail = rest.partition(END)
    PAGE.write_text(f"{head}{BEGIN}\n\n{text}\n\n{END}{tail}")
    return text
