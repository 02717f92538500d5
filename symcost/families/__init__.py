"""Models by name, from a Hugging Face config, or from a spec."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from symcost.errors import ConfigError, UnknownName, nearest
from symcost.families.fields import Fields, is_count
from symcost.families.table import FAMILIES
from symcost.model import LETTERS, Model

__all__ = ["FAMILIES", "from_config", "known_models", "load"]

# Configs of models that also see or hear: their text part is a config of its own.
TEXT_PARTS: Mapping[str, str] = MappingProxyType(
    {"gemma3": "gemma3_text", "llama4": "llama4_text", "mistral3": "mistral"}
)


def from_config(config: Mapping[str, Any], name: str, place: str = "config") -> Model:
    """The model that a Hugging Face config describes. Raises ConfigError naming the field."""
    kind = config.get("model_type")
    if not isinstance(kind, str):
        raise ConfigError(f"{place}: expected the field 'model_type', found none. Add it, as in \"llama\".")
    if kind in TEXT_PARTS:
        inner = config.get("text_config")
        if not isinstance(inner, Mapping):
            raise ConfigError(f"{place}: text_config: expected an object of fields, found {inner!r}.")
        text = (
            {"tie_word_embeddings": config["tie_word_embeddings"]} if "tie_word_embeddings" in config else {}
        )
        return from_config({"model_type": TEXT_PARTS[kind], **text, **inner}, name, f"{place}: text_config")
    if kind not in FAMILIES:
        raise ConfigError(f"{place}: model_type: '{kind}' is not understood. {nearest(kind, FAMILIES)}")
    fields = Fields(config, place, FAMILIES[kind].absent)
    architecture = FAMILIES[kind].read(fields)
    fields.finish()
    source = str(config.get("_source", f"{place}, model_type {kind}"))
    return Model(name, architecture, fields.ties, fields.numbers, source)


@cache
def known_models() -> Mapping[str, Mapping[str, Any]]:
    """Published configs by name, each with its source."""
    import json
    from importlib import resources

    text = resources.files("symcost").joinpath("known_models.json").read_text(encoding="utf-8")
    return MappingProxyType(json.loads(text))


def load(
    model: str | Path | Mapping[str, Any] | Model,
    *,
    adapters: Mapping[str, Any] | None = None,
    freeze: Collection[str] = (),
    quantised: str | None = None,
) -> Model:
    """A model by name, from a Hugging Face `config.json`, a TOML spec, or a dict of either.

    `adapters` puts low-rank adapters on some matrices and freezes all else, as in {"r": 16, "on": ["Q",
    "V"]}; `freeze` names places whose parameters are not trained; `quantised` is the type of frozen matrices
    ("nf4"). Raises UnknownName with the nearest known name, ConfigError for a file that is broken or not
    understood.

    >>> load("cs190c").name
    'cs190c'
    """
    found = _loaded(model)
    if adapters is not None:
        found = found.with_adapters(**_adapters(adapters, found.name))
    if freeze:
        found = found.with_frozen(*freeze)
    return found if quantised is None else found.stored_as(quantised)


def _adapters(given: Mapping[str, Any], place: str) -> dict[str, Any]:
    """The arguments of `with_adapters`; alpha scales a result and changes no count."""
    for name in given:
        if name not in ("r", "on", "alpha"):
            raise ConfigError(
                f"{place}: adapters: '{name}' is not understood. {nearest(name, ['r', 'on', 'alpha'])}"
            )
    r, on = given.get("r"), given.get("on", ("Q", "V"))
    if r is not None and not is_count(r):
        raise ConfigError(f"{place}: adapters: r: expected a positive whole number, found {r!r}.")
    if isinstance(on, str) or not all(isinstance(each, str) for each in on):
        raise ConfigError(
            f"{place}: adapters: on: expected a list of matrices, as in ['Q', 'V'], found {on!r}."
        )
    return {"r": r, "on": on}


def _loaded(model: str | Path | Mapping[str, Any] | Model) -> Model:
    if isinstance(model, Model):
        return model
    if isinstance(model, Mapping):
        return _from_dict(model, str(model.get("name", model.get("model_type", "spec"))), "spec")
    name = str(model)
    if name in LETTERS:
        return LETTERS[name]
    if _is_path(name):
        return _from_file(Path(name))
    known = known_models()
    if name.lower() in known:
        return from_config(known[name.lower()], name.lower(), name.lower())
    raise UnknownName(
        f"'{name}' is not a model. {nearest(name, [*LETTERS, *known], 'See symcost list models.')}"
    )


def _is_path(name: str) -> bool:
    return Path(name).exists() or name.endswith((".json", ".toml")) or "/" in name or "\\" in name


def _from_file(path: Path) -> Model:
    import json
    import tomllib

    if path.is_dir():
        raise ConfigError(
            f"{path}: expected a config.json or a TOML spec, found a directory. Name the file in it."
        )
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"{path}: expected a config.json or a TOML spec, found no such file.") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: expected UTF-8 text, found bytes that are none.") from None
    except OSError as error:
        raise ConfigError(f"{path}: expected a readable file, found: {error.strerror or error}.") from None
    try:
        config = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except json.JSONDecodeError as error:
        raise ConfigError(
            f"{path}:{error.lineno}:{error.colno}: expected JSON, found: {error.msg}."
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: expected TOML, found: {error}.") from None
    except RecursionError:
        raise ConfigError(f"{path}: expected a config, found brackets nested too deeply.") from None
    if not isinstance(config, dict):
        raise ConfigError(f"{path}: expected an object of fields, found {type(config).__name__}.")
    name = path.parent.name if path.name == "config.json" and path.parent.name else path.stem
    return _from_dict(config, name, str(path))


def _from_dict(config: Mapping[str, Any], name: str, place: str) -> Model:
    if "model_type" in config or "architectures" in config:
        return from_config(config, name, place)
    from symcost.spec import from_spec  # pydantic is imported only where a spec is read

    return from_spec(config, name, place)
