"""`topics apply|check`: compare the broker's topics with the table of topics, and create the missing ones."""

from collections.abc import Collection

import click

from connectors.kafka import topics as on_broker
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.topics import Drift, Report
from schemas.json_lines import json_line
from schemas.topics import Topic
from streams.cli.group import CommandGroup
from streams.cli.options import config_option, json_option, kafka_of
from streams.cli.run_async import run
from streams.cli.verbs import VERBS
from streams.ops.codec import configured_codec
from streams.ops.generations.live import each_live_topic
from streams.settings import Settings

topics = CommandGroup("topics", help=VERBS["topics"])


@topics.command()
@json_option
@config_option
@click.pass_context
def apply(ctx: click.Context, *, as_json: bool) -> None:
    """Create the topics that are missing, and register the schemas where a registry is configured. Changes nothing that exists.

    Reports where existing topics differ; `topics check` makes that an exit code.
    """
    report = run(_apply(kafka_of(ctx)))
    _show(report, as_json=as_json)


@topics.command()
@json_option
@config_option
@click.pass_context
def check(ctx: click.Context, *, as_json: bool) -> None:
    """Report every difference between the broker's topics and the table. Exit code 1 if there is one."""
    settings = kafka_of(ctx)
    report = run(each_live_topic(settings.kafka, _check))
    _show(report, as_json=as_json)
    if report.drift:
        ctx.exit(1)


async def _apply(settings: Settings) -> Report:
    report = await each_live_topic(settings.kafka, _create)
    await configured_codec(settings)
    return report


async def _check(kafka: KafkaSettings, extra: Collection[Topic], only: Collection[str] | None) -> Report:
    return await on_broker.check(kafka, extra, only=only)


async def _create(kafka: KafkaSettings, extra: Collection[Topic], only: Collection[str] | None) -> Report:
    return await on_broker.apply(kafka, extra, only=only)


def _show(report: Report, *, as_json: bool) -> None:
    if as_json:
        click.echo(json_line(report))
        return
    for name in report.created:
        click.echo(f"created {name}")
    if report.drift:
        click.echo("\n".join(_lines(report.drift)))
    as_wanted = report.topics - len({row.topic for row in report.drift})
    click.echo(f"{report.topics} topics, {len(report.created)} created, {as_wanted} as the table says")


def _lines(drift: tuple[Drift, ...]) -> list[str]:
    rows = [("topic", "what", "expected", "found"), *((row.topic, row.setting, row.expected, row.actual) for row in drift)]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return ["  ".join([*(f"{cell:{width}}" for cell, width in zip(row, widths, strict=False)), row[3]]) for row in rows]
