"""Data files that programs expect to have downloaded: pictures, texts, sounds and tables, small, drawn or bundled."""

from __future__ import annotations

import gzip
import importlib
import pkgutil
import wave
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.field.arrays import cifar10, houses


def photos(folder: str, classes: Sequence[str], each: int, size: int, names: str = "{name}_{number}.jpg") -> None:
    """JPEG pictures in one folder per class; an empty class name is the folder itself."""
    (x, y), _ = cifar10(each * len(classes) * 12, 1)
    labels = y[:, 0] % max(len(classes), 1) if len(classes) > 5 else y[:, 0] % 5
    for label, name in enumerate(classes):
        home = Path(folder) / name
        home.mkdir(parents=True, exist_ok=True)
        chosen = x[labels == label] if name else x
        for number, picture in enumerate(chosen[:each]):
            file = names.format(name=name, number=number)
            Image.fromarray(picture).resize((size, size)).save(home / file, quality=92)


def pets(images: str, masks: str, count: int, size: int) -> None:
    """A photograph with an ellipse of another one, and masks of 1 (inside), 2 (outside) and 3 (border)."""
    (x, _), _ = cifar10(2 * count, 1)
    rng = np.random.default_rng(6)
    rows, columns = np.mgrid[:size, :size] / size
    for folder in (images, masks):
        Path(folder).mkdir(parents=True, exist_ok=True)
    for number in range(count):
        back, front = (
            np.asarray(Image.fromarray(part).resize((size, size))) for part in x[2 * number : 2 * number + 2]
        )
        away = ((rows - rng.uniform(0.3, 0.7)) / rng.uniform(0.2, 0.35)) ** 2
        away = away + ((columns - rng.uniform(0.3, 0.7)) / rng.uniform(0.2, 0.35)) ** 2
        picture = np.where((away < 1)[..., None], 255 - front // 3, back // 2)
        mask = np.where(away < 0.85, 1, np.where(away > 1.15, 2, 3)).astype(np.uint8)
        Image.fromarray(picture.astype(np.uint8)).save(f"{images}/pet_{number:04d}.jpg", quality=92)
        Image.fromarray(mask).save(f"{masks}/pet_{number:04d}.png")


def pairs_of_pictures(folder: str, count: int, size: int) -> None:
    """JPEG pictures of twice the width: a photograph on the left, its bright regions on the right."""
    (x, _), _ = cifar10(count, 1)
    Path(folder).mkdir(parents=True, exist_ok=True)
    for number, part in enumerate(x):
        right = np.asarray(Image.fromarray(part).resize((size, size)))
        left = np.where(right > 128, 220, 40).astype(np.uint8)
        Image.fromarray(np.concatenate([right, left], axis=1)).save(f"{folder}/{number + 1}.jpg", quality=92)


GOOD = "wonderful brilliant moving clever superb charming delightful honest gripping great".split()
BAD = "dull awful tedious clumsy boring terrible lazy shallow pointless weak".split()
PLAIN = "the a film story actor scene music plot ending camera it was and but with of in this that very quite".split()


def review(rng: np.random.Generator, good: bool) -> str:
    """A text in which a sixth of the words are signs of its class."""
    words = rng.choice(PLAIN, int(rng.integers(40, 120)))
    marked = rng.random(len(words)) < 1 / 6
    honest = rng.random(marked.sum()) < 0.85
    words[marked] = np.where(honest == good, rng.choice(GOOD, marked.sum()), rng.choice(BAD, marked.sum()))
    return " ".join(words)


def reviews(folder: str, each: int) -> None:
    """``neg/*.txt`` and ``pos/*.txt``."""
    rng = np.random.default_rng(len(folder))
    for label, name in enumerate(("neg", "pos")):
        (Path(folder) / name).mkdir(parents=True, exist_ok=True)
        for number in range(each):
            (Path(folder) / name / f"{number}_{label}.txt").write_text(review(rng, bool(label)))


def english(characters: int) -> str:
    """Prose: what the modules of NumPy and SciPy say about themselves."""
    text = ""
    import numpy
    import scipy

    for package in (scipy, numpy):
        for module in pkgutil.iter_modules(package.__path__):
            if len(text) > characters or module.name.startswith("_"):
                continue
            try:
                loaded = importlib.import_module(f"{package.__name__}.{module.name}")
            except Exception:  # not all modules of a package can be imported
                continue
            members = [loaded, *(getattr(loaded, name) for name in sorted(getattr(loaded, "__all__", ())))]
            text += "\n".join(str(getattr(member, "__doc__", "") or "") for member in members)
    return text.encode("ascii", "ignore").decode()[:characters]


SUBJECTS = {"the cat": "el gato", "my friend": "mi amigo", "the house": "la casa", "a bird": "un pájaro", "she": "ella"}
VERBS = {"sees": "ve", "likes": "quiere", "finds": "encuentra", "paints": "pinta", "sells": "vende"}
OBJECTS = {"the sea": "el mar", "a red car": "un coche rojo", "the old book": "el libro viejo", "bread": "pan"}
WHEN = {"today": "hoy", "every day": "cada día", "at night": "de noche", "": ""}


def translations(file: str, count: int) -> None:
    """Lines of English, a tab, and the same in Spanish."""
    rng = np.random.default_rng(8)
    lines = []
    for _ in range(count):
        parts = [list(table.items())[rng.integers(len(table))] for table in (SUBJECTS, VERBS, OBJECTS, WHEN)]
        lines.append("\t".join(" ".join(side).strip() for side in zip(*parts, strict=True)))
    Path(file).parent.mkdir(parents=True, exist_ok=True)
    Path(file).write_text("\n".join(lines) + "\n", encoding="utf-8")


def tones(folder: str, names: Sequence[str], each: int, rate: int = 16000) -> None:
    """One second of sound per file: glides between two pitches that belong to the class, in noise."""
    rng = np.random.default_rng(9)
    for label, name in enumerate(names):
        (Path(folder) / name).mkdir(parents=True, exist_ok=True)
        for number in range(each):
            time = np.arange(rate) / rate
            pitch = 300 + 250 * label + 200 * time * rng.uniform(0.5, 1.5) + rng.normal(0, 30)
            sound = np.sin(2 * np.pi * pitch * time) * np.exp(-(((time - rng.uniform(0.3, 0.7)) / 0.2) ** 2))
            samples = (12000 * sound + rng.normal(0, 500, rate)).astype("<i2")
            with wave.open(f"{folder}/{name}/{number}.wav", "wb") as file:
                file.setnchannels(1)
                file.setsampwidth(2)
                file.setframerate(rate)
                file.writeframes(samples.tobytes())


WEATHER = (
    "Date Time,p (mbar),T (degC),Tpot (K),Tdew (degC),rh (%),VPmax (mbar),VPact (mbar),VPdef (mbar),sh (g/kg),"
    "H2OC (mmol/mol),rho (g/m**3),wv (m/s),max. wv (m/s),wd (deg)"
)


def weather(file: str, rows: int) -> None:
    """Weather of Jena, every ten minutes: days, years and slow noise."""
    rng = np.random.default_rng(10)
    minutes = 10 * np.arange(rows)
    slow = np.cumsum(rng.normal(0, 0.05, rows))
    slow -= np.linspace(0, slow[-1], rows)
    degrees = 9 + 8 * np.sin(2 * np.pi * minutes / 525600) + 4 * np.sin(2 * np.pi * minutes / 1440) + slow
    pressure = 989 + 5 * np.cumsum(rng.normal(0, 0.02, rows)) + rng.normal(0, 0.1, rows)
    humid = np.clip(75 - 2 * (degrees - 9) + rng.normal(0, 3, rows), 10, 100)
    most = 6.1 * np.exp(0.06 * degrees)
    wind, turn = rng.gamma(2, 1, rows), rng.uniform(0, 360, rows)
    columns = [
        pressure, degrees, degrees + 273, degrees - (100 - humid) / 5, humid, most, most * humid / 100,
        most * (100 - humid) / 100, most * humid / 160, most * humid / 100, 1300 - 4 * degrees, wind, 1.6 * wind, turn,
    ]  # fmt: skip
    from datetime import datetime, timedelta

    start = datetime(2009, 1, 1, 0, 10)
    stamps = [(start + timedelta(minutes=int(minute))).strftime("%d.%m.%Y %H:%M:%S") for minute in minutes]
    table = np.stack(columns, axis=1)
    lines = [f"{stamp},{','.join(f'{value:.4f}' for value in row)}" for stamp, row in zip(stamps, table, strict=True)]
    Path(file).write_text("\n".join([WEATHER, *lines]))


def ridership(file: str) -> None:
    """Passengers of buses and trains of Chicago, daily, 2001 to 2021: weeks, years and noise."""
    import pandas as pd

    rng = np.random.default_rng(11)
    days = pd.date_range("2001-01-01", "2021-11-30")
    weekend = np.isin(days.dayofweek, (5, 6))
    season = 1 + 0.06 * np.sin(2 * np.pi * days.dayofyear / 365)
    kind = np.where(days.dayofweek == 6, "U", np.where(days.dayofweek == 5, "A", "W"))
    columns = [
        np.where(weekend, low, high) * season * rng.normal(1, 0.04, len(days))
        for low, high in ((500_000, 900_000), (350_000, 680_000))
    ]
    table = pd.DataFrame({"service_date": days.strftime("%m/%d/%Y"), "day_type": kind})
    table["bus"], table["rail_boardings"] = (column.astype(int) for column in columns)
    table["total_rides"] = table["bus"] + table["rail_boardings"]
    Path(file).parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(file, index=False)


def higgs(file: str, rows: int) -> None:
    """A label and 28 columns; the label depends on products of a few of them, with much noise."""
    rng = np.random.default_rng(12)
    x = rng.normal(size=(rows, 28))
    score = x[:, 0] * x[:, 1] + 0.8 * x[:, 2] - 0.6 * np.abs(x[:, 3]) + rng.normal(0, 1.2, rows)
    table = np.column_stack([score > np.median(score), x])
    with gzip.open(file, "wt") as out:
        out.write("\n".join(",".join(f"{value:.5f}" for value in row) for row in table))


def notes(count: int) -> Any:
    """Pitch, step and duration of a melody that walks up and down its scale, as a data frame."""
    import pandas as pd

    rng = np.random.default_rng(13)
    scale = np.array([60, 62, 64, 65, 67, 69, 71, 72])
    walk = np.abs((np.arange(count) + rng.integers(-1, 2, count)) % 14 - 7)
    return pd.DataFrame(
        {
            "pitch": scale[walk].astype(float),
            "step": rng.choice([0.25, 0.5], count),
            "duration": rng.choice([0.2, 0.4, 0.8], count),
        }
    )


def table(name: str) -> Any:
    """The data frame of a published table, by the last part of its address."""
    import pandas as pd

    rng = np.random.default_rng(14)
    if name == "auto-mpg.data":
        from mlxtend.data import autompg_data

        x, y = autompg_data()
        frame = pd.DataFrame(x[:, :7].astype(float))
        frame.insert(0, "MPG", y)
        return frame
    if name.startswith("abalone"):
        size = rng.normal(0.5, 0.12, 3000).clip(0.1)
        weights = [size**3 * scale * rng.normal(1, 0.1, 3000) for scale in (6, 2.6, 1.3, 1.7)]
        age = np.rint(3 + 14 * size + rng.normal(0, 2, 3000)).clip(1)
        return pd.DataFrame(np.column_stack([size, 0.8 * size, 0.28 * size, *weights, age]))
    if name == "ecg.csv":
        return _heartbeats(rng)
    if name == "creditcard.csv":
        return _payments(rng)
    if name == "train.csv":
        return _passengers(rng)
    raise LookupError(f"No stand-in for the table {name}.")


def _heartbeats(rng: np.random.Generator) -> Any:
    import pandas as pd

    time = np.arange(140)
    normal = rng.random(2500) < 0.6
    peak = 30 + rng.normal(0, 3, (2500, 1)) + np.where(normal, 0, 12)[:, None]
    beat = 3 * np.exp(-(((time - peak) / 4) ** 2)) - 2 * np.exp(-(((time - peak - 40) / 15) ** 2))
    beat = beat * np.where(normal, 1, -0.6)[:, None] + rng.normal(0, 0.15, (2500, 140))
    return pd.DataFrame(np.column_stack([beat, normal]))


def _payments(rng: np.random.Generator) -> Any:
    import pandas as pd

    rows = 20000
    fraud = rng.random(rows) < 0.02
    columns = rng.normal(size=(rows, 28))
    columns[fraud, :6] += rng.choice([-1.5, 1.5], 6)
    frame = pd.DataFrame(columns, columns=[f"V{number}" for number in range(1, 29)])
    frame.insert(0, "Time", np.arange(rows))
    frame["Amount"], frame["Class"] = rng.gamma(1, 80, rows), fraud.astype(int)
    return frame


def _passengers(rng: np.random.Generator) -> Any:
    import pandas as pd

    rows = 627
    sex, kind = rng.choice(["male", "female"], rows, p=[0.65, 0.35]), rng.choice(["First", "Second", "Third"], rows)
    chance = 0.15 + 0.5 * (sex == "female") + 0.2 * (kind == "First")
    return pd.DataFrame(
        {
            "survived": (rng.random(rows) < chance).astype(int),
            "sex": sex,
            "age": rng.uniform(1, 70, rows).round(),
            "n_siblings_spouses": rng.integers(0, 4, rows),
            "parch": rng.integers(0, 3, rows),
            "fare": rng.gamma(1.2, 25, rows),
            "class": kind,
            "deck": rng.choice([*"ABCDE", "unknown"], rows),
            "embark_town": rng.choice(["Southampton", "Cherbourg", "Queenstown"], rows),
            "alone": rng.choice(["y", "n"], rows),
        }
    )


def california() -> Any:
    """What ``sklearn.datasets.fetch_california_housing`` gives, with 3,000 houses."""
    from sklearn.utils import Bunch

    x, y = houses(3000)
    return Bunch(data=x, target=y, feature_names=[f"f{number}" for number in range(8)])
