"""``llm-audit config``: show every setting with its origin."""

from __future__ import annotations

import json

import typer

from llm_audit.cli import options

app = typer.Typer(no_args_is_help=True)


@app.command()
def show(*, config_file: options.ConfigFile = None) -> None:
    """List every setting with its value and its origin."""
    import msgspec

    from llm_audit import config

    settings = config.load(file=config_file)
    names = config.Config.__struct_fields__
    values = {
        name: json.dumps(msgspec.to_builtins(getattr(settings.config, name)), ensure_ascii=False) for name in names
    }
    values |= {name: "(secret)" for name in config.SECRETS if getattr(settings.config, name) is not None}
    width = max(len(name) for name in names)
    value_width = max(len(value) for value in values.values())
    for name in names:
        typer.echo(f"{name:<{width}}  {values[name]:<{value_width}}  {settings.origins[name]}")


@app.command()
def schema() -> None:
    """Print the JSON schema of the configuration file."""
    from llm_audit import config

    typer.echo(json.dumps(config.schema(), indent=2))
