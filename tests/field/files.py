"""Small corpora as people have them: the same sentences, written in many ways."""

NAMES = ["gent", "nils", "oda", "lyon"]


def sentences(count, first=0):
    """Return sentences of (word, label): spans of one and two words, by BIO."""
    results = []
    for n in range(first, first + count):
        kind = "LOC" if n % 2 else "PER"
        name = [(NAMES[n % 4], f"B-{kind}"), (NAMES[(n + 1) % 4], f"I-{kind}")][: 1 + n % 3 % 2]
        begin = [("le", "O"), (f"quai{n % 37}", "O"), ("suit", "O")]
        results.append([*begin, *name, ("ici", "O")])
    return results


def write(file, sentences, separator="\t", between="", label=lambda label: label, lead=""):
    """Write sentences in two columns, a blank line after each."""
    lines = []
    for sentence in sentences:
        lines += [f"{lead}{word}{separator}{label(tag)}" for word, tag in sentence] + [between]
    file.write_text("\n".join(lines) + "\n", "utf-8")


def counts(out):
    """Return sentences and words of train and test that `mtl-bench check` names."""
    line = next(line for line in out.splitlines() if "Sizes:" in line)
    return [int(word) for word in line.replace(",", "").split() if word.isdigit()]
