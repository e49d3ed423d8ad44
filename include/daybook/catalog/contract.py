"""A pipeline's published views as a data contract: a file of the Open Data Contract Standard, version 3.

The standard's own Python package builds and writes it (bitol.io names the standard and its JSON Schema).
"""

from typing import NamedTuple

from open_data_contract_standard.model import (
    CustomProperty,
    Description,
    OpenDataContractStandard,
    SchemaObject,
    SchemaProperty,
    Server,
    ServiceLevelAgreementProperty,
    Team,
)

from daybook.catalog.columns import PublishedColumn, published_columns
from daybook.ledger.code import digest
from daybook.spec import Pipeline, View

STANDARD = "v3.1.0"
LOGICAL = {
    "bigint": "integer",
    "text": "string",
    "date": "date",
    "boolean": "boolean",
    "timestamp with time zone": "timestamp",
}


class Place(NamedTuple):
    """Where the views are: a PostgreSQL server and its database."""

    host: str
    port: int
    database: str


def contract(pipeline: Pipeline, place: Place | None = None) -> str:
    """Return the contract as YAML. place: of the warehouse, if it is known.

    Its version is a hash of what it promises, so it changes with the views and with nothing else.
    """
    views = [_view(pipeline, summary) for summary in pipeline.views]
    return OpenDataContractStandard(
        apiVersion=STANDARD,
        kind="DataContract",
        id=f"daybook:{pipeline.target.schema_}",
        name=pipeline.name,
        version=digest([view.model_dump() for view in views])[:12],
        status="active",
        description=Description(purpose=pipeline.description),
        tags=list(pipeline.tags) or None,
        team=Team(name=pipeline.owner) if pipeline.owner else None,
        servers=[_server(pipeline, place)] if place else None,
        schema=views,
        slaProperties=_agreements(pipeline),
        customProperties=[CustomProperty(property="timeZone", value=pipeline.schedule.time_zone)],
    ).to_yaml()


def _server(pipeline: Pipeline, place: Place) -> Server:
    schema = pipeline.target.schema_
    return Server(server=pipeline.target.connection, type="postgres", schema=schema, **place._asdict())


def _agreements(pipeline: Pipeline) -> list[ServiceLevelAgreementProperty]:
    cron = ServiceLevelAgreementProperty(
        property="frequency", value=1, unit="d", scheduler="cron", schedule=pipeline.schedule.cron
    )
    start = ServiceLevelAgreementProperty(property="generalAvailability", value=pipeline.schedule.start.isoformat())
    return [cron, start]


def _view(pipeline: Pipeline, summary: View) -> SchemaObject:
    return SchemaObject(
        name=summary.name,
        physicalName=f"{pipeline.target.schema_}.{summary.name}",
        physicalType="view",
        logicalType="object",
        description=summary.description or None,
        dataGranularityDescription=f"One row for each {' and '.join(('day', *summary.by))}",
        properties=[_property(column) for column in published_columns(pipeline, summary)],
    )


def _property(column: PublishedColumn) -> SchemaProperty:
    unit = [CustomProperty(property="unit", value=column.unit)] if column.unit else None
    return SchemaProperty(
        name=column.name,
        logicalType=LOGICAL.get(column.sql_type, "number"),
        physicalType=column.sql_type,
        description=column.description or None,
        required=column.name == "day" or None,
        transformLogic=column.formula or None,
        transformSourceObjects=list(column.sources) or None,
        customProperties=unit,
    )
