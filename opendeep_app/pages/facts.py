"""What the agent knows without asking again."""

import reflex as rx

from opendeep_app.components.browser import Ago, hook
from opendeep_app.components.facts import WHERE, disclosure_choice, lasting_choice
from opendeep_app.components.forms import field, invalid
from opendeep_app.components.icons import icon
from opendeep_app.components.shell import loading, page, skeleton
from opendeep_app.models import FactScope
from opendeep_app.services.facts import MAX_ANSWER, MAX_QUESTION
from opendeep_app.state.facts import FactRow, FactsState, ToldRow
from opendeep_app.words import _, pieces

el = rx.el


@rx.page(route="/facts", title=_("Facts · OpenDeep"), on_load=loading(FactsState.load))
def facts() -> rx.Component:
    """Facts, and writing one down."""
    return page(
        _("Facts"),
        el.div(
            rx.cond(
                FactsState.loaded,
                rx.fragment(
                    rx.cond(FactsState.facts.length() > 0, _list(), _none()),
                    _add(),
                ),
                skeleton(),
            ),
            class_name="stack narrow",
        ),
        here="/facts",
        loaders=loading(FactsState.load),
    )


def _list() -> rx.Component:
    return rx.fragment(
        el.section(
            rx.foreach(FactsState.facts, _fact), class_name="panel list", aria_label=_("Your facts")
        ),
        rx.cond(
            FactsState.more,
            el.button(
                _("Show more"),
                type="button",
                class_name="btn full",
                on_click=FactsState.show_more,
                custom_attrs=hook("facts-more"),
            ),
        ),
    )


def _fact(row: rx.Var[FactRow]) -> rx.Component:
    return el.article(
        el.div(
            el.div(
                el.div(row.question, class_name="soft small wrap-anywhere"),
                el.div(row.answer, class_name="fact-answer", custom_attrs=hook("fact-answer")),
                class_name="grow",
            ),
            el.div(
                _action(_("Edit"), "pencil", "fact-edit", FactsState.edit(row.id), row),
                _action(
                    _("Forget"), "trash-2", "fact-forget", FactsState.ask_to_forget(row.id), row
                ),
                class_name="fact-actions",
            ),
            class_name="row",
            align_items="flex-start",
        ),
        el.div(
            el.span(row.says, class_name=f"status slim {row.tone}"),
            el.span(row.where, class_name="soft small"),
            rx.cond(
                row.expired,
                el.span(_("Expired, not used any more"), class_name="soft small"),
                rx.cond(
                    row.expires_at != "",
                    el.span(
                        *pieces(_("Ends {when}"), when=Ago.create(at=row.expires_at)),
                        class_name="soft small",
                    ),
                ),
            ),
            class_name="row wrap fact-about",
        ),
        rx.cond(FactsState.editing == row.id, _form(row)),
        rx.cond(FactsState.forgetting == row.id, _confirm(row)),
        _told(row),
        class_name="fact",
        custom_attrs=hook("fact", disclosure=row.disclosure),
        key=row.id,
    )


def _action(
    label: str, mark: str, test_id: str, handler: rx.event.EventSpec, row: rx.Var[FactRow]
) -> rx.Component:
    return el.button(
        icon(mark, 15),
        type="button",
        class_name="btn ghost icon",
        title=label,
        aria_label=f"{label}: {row.question}",
        on_click=handler,
        custom_attrs=hook(test_id),
    )


def _form(row: rx.Var[FactRow]) -> rx.Component:
    return el.form(
        field(
            "edit-answer",
            _("Answer"),
            el.textarea(
                id="edit-answer",
                name="answer",
                class_name="field",
                default_value=row.answer,
                max_length=MAX_ANSWER,
                aria_invalid=invalid(FactsState.errors, "edit-answer"),
                custom_attrs=hook("fact-edit-answer"),
            ),
            errors=FactsState.errors,
        ),
        el.div(
            disclosure_choice("fact-edit", default_value=row.disclosure),
            lasting_choice("fact-edit", kept=True),
            class_name="pair",
        ),
        el.div(
            el.button(
                _("Save"), type="submit", class_name="btn primary", custom_attrs=hook("fact-save")
            ),
            el.button(_("Cancel"), type="button", class_name="btn", on_click=FactsState.edit("")),
            class_name="row",
        ),
        on_submit=FactsState.save,
        reset_on_submit=False,
        class_name="stack fact-form",
    )


def _confirm(row: rx.Var[FactRow]) -> rx.Component:
    return el.div(
        el.span(
            _("Forget this, and to whom it was told? The agent asks you the next time."),
            flex="1 1 220px",
        ),
        el.button(
            _("Forget it"),
            type="button",
            class_name="btn danger",
            auto_focus=True,
            on_click=FactsState.forget(row.id),
            custom_attrs=hook("fact-forget-confirm"),
        ),
        el.button(
            _("Keep it"), type="button", class_name="btn", on_click=FactsState.ask_to_forget("")
        ),
        class_name="callout tone-bad row wrap small",
        role="alert",
    )


def _told(row: rx.Var[FactRow]) -> rx.Component:
    return rx.cond(
        row.told_times > 0,
        el.details(
            el.summary(
                icon("chevron-right", 14),
                rx.cond(
                    row.told_times == 1,
                    _("Given to the agent of 1 call"),
                    _("Given to the agents of {count} calls").format(count=row.told_times),
                ),
                class_name="small",
                custom_attrs=hook("fact-told"),
            ),
            el.ul(rx.foreach(row.told.to(list[ToldRow]), _call), class_name="told"),
            class_name="more",
        ),
        el.div(_("No agent has been given this yet"), class_name="faint small"),
    )


def _call(row: rx.Var[ToldRow]) -> rx.Component:
    return el.li(
        el.a(row.who, href=f"/tasks/{row.task_id}", class_name="link"),
        el.span(row.number, class_name="num soft"),
        Ago.create(at=row.at, class_name="faint"),
        custom_attrs=hook("fact-told-to"),
    )


def _add() -> rx.Component:
    errors, scope = FactsState.errors, FactsState.scope

    def text(name: str, label: str, example: str, longest: int) -> rx.Component:
        return field(
            name,
            label,
            el.input(
                id=name,
                name=name,
                class_name="field",
                placeholder=example,
                auto_complete="off",
                max_length=longest,
                aria_invalid=invalid(errors, name),
                custom_attrs=hook(f"fact-{name}-new"),
            ),
            errors=errors,
        )

    return el.section(
        el.h2(_("Write a fact down"), class_name="panel-head"),
        el.form(
            text(
                "question", _("What they may ask"), _("What is your date of birth?"), MAX_QUESTION
            ),
            text("answer", _("Your answer"), _("3 May 1980"), MAX_ANSWER),
            el.div(
                field(
                    "scope",
                    _("Use it"),
                    el.select(
                        el.option(WHERE[FactScope.EVERYWHERE], value=FactScope.EVERYWHERE.value),
                        el.option(_("With one number only"), value=FactScope.CONTACT.value),
                        rx.cond(
                            FactsState.campaigns.length() > 0,
                            el.option(_("In one campaign"), value=FactScope.CAMPAIGN.value),
                        ),
                        id="scope",
                        name="scope",
                        class_name="field",
                        value=scope,
                        on_change=FactsState.set_scope,
                        custom_attrs=hook("fact-scope"),
                    ),
                    errors=errors,
                ),
                field(
                    "disclosure",
                    _("The agent may"),
                    disclosure_choice("fact", id="disclosure"),
                    errors=errors,
                ),
                class_name="pair",
            ),
            rx.match(
                scope,
                (
                    FactScope.CONTACT.value,
                    field(
                        "phone_number",
                        _("Phone number"),
                        el.input(
                            id="phone_number",
                            name="phone_number",
                            type="tel",
                            class_name="field num",
                            placeholder="+1 202 555 0143",
                            auto_complete="off",
                            aria_invalid=invalid(errors, "phone_number"),
                            custom_attrs=hook("fact-number"),
                        ),
                        errors=errors,
                    ),
                ),
                (
                    FactScope.CAMPAIGN.value,
                    field(
                        "campaign_id",
                        _("Campaign"),
                        el.select(
                            rx.foreach(
                                FactsState.campaigns,
                                lambda each: el.option(each[1], value=each[0]),
                            ),
                            id="campaign_id",
                            name="campaign_id",
                            class_name="field",
                        ),
                        errors=errors,
                    ),
                ),
                rx.fragment(),
            ),
            field("lasting", _("Keep it"), lasting_choice("fact", id="lasting"), errors=errors),
            el.div(
                el.button(
                    _("Remember"),
                    type="submit",
                    class_name="btn primary",
                    custom_attrs=hook("fact-add"),
                )
            ),
            id="new-fact",
            on_submit=FactsState.add,
            reset_on_submit=False,
            no_validate=True,
            class_name="pad stack",
            gap="16px",
        ),
        class_name="panel",
    )


def _none() -> rx.Component:
    return el.section(
        el.div(icon("book-user", 22), class_name="glyph"),
        el.h2(_("Answer once")),
        el.p(
            _(
                "When you answer a question, tick “Remember for next time”: the agent then knows it in "
                "its next calls and does not ask you again. You say where it is used, and whether the "
                "agent may say it freely, must ask you first, or never says it."
            )
        ),
        class_name="panel empty",
        custom_attrs=hook("facts-empty"),
    )
