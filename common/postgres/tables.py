"""Create an app's tables with the models of all apps drawn up once, instead of once for each of them.

Django draws all models up anew that have to do, over however many corners, with the one that a step of a migration changes: here nearly
all of them have to do with the user. Measured: nine tenths of the time of `migrate` on an empty database.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation, OperationCategory
from django.db.migrations.state import ProjectState


class CreateTables(Operation):
    """Steps that only create: models in their final form, then their triggers. Each sees the state after the last of them.

    `AddField` has no place here: `CreateModel` has already made the column.
    """

    category = OperationCategory.ADDITION
    serialization_expand_args = ["operations"]

    def __init__(self, operations: Sequence[Operation]) -> None:
        self.operations = operations

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        # Without this, each step would draw the models up; the first that asks for them draws them up once.
        state.__dict__.pop("apps", None)
        for operation in self.operations:
            operation.state_forwards(app_label, state)

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        for operation in self.operations:
            operation.database_forwards(app_label, schema_editor, from_state, to_state)
        # Foreign keys and indexes, which Django would leave for the end: only a step with nothing left over is
        # recorded in its own transaction. A crash between the two would leave half of what is replaced as applied.
        while schema_editor.deferred_sql:
            schema_editor.execute(schema_editor.deferred_sql.pop(0))

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        # A trigger's model is looked up in the state that is left behind: the one before knows nothing of it.
        for operation in reversed(self.operations):
            operation.database_backwards(app_label, schema_editor, from_state, from_state)

    def describe(self) -> str:
        return "Create tables and triggers"
