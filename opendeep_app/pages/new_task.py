"""The form for a new task."""

import reflex as rx

from opendeep_app.components.browser import Exact, hook
from opendeep_app.components.draft import Draft, Put
from opendeep_app.components.forms import field, invalid
from opendeep_app.components.icons import icon
from opendeep_app.components.shell import loading, page
from opendeep_app.components.task_options import options
from opendeep_app.state.new_task import NewTaskState, PersonRow, ZoneRow
from opendeep_app.state.schedule import StepRow
from opendeep_app.words import _

el = rx.el

EXAMPLES = {
    _("Move an appointment"): _(
        "Move my dentist appointment on Thursday to next week, mornings only."
    ),
    _("Book a table"): _("Book a table for four on Saturday at 19:30, outside if possible."),
    _("Ask for a price"): _(
        "Ask what a full service of a bicycle costs, and when it could be done."
    ),
    _("Check opening hours"): _("Ask whether they are open on Saturday, and until when."),
}
LANGUAGES = {
    "en": _("English"), "de": _("German"), "es": _("Spanish"), "fr": _("French"), "it": _("Italian"),
    "nl": _("Dutch"), "pl": _("Polish"), "pt": _("Portuguese"), "tr": _("Turkish"), "ja": _("Japanese"),
}  # fmt: skip


@rx.page(
    route="/tasks/new",
    title=_("New task · OpenDeep"),
    on_load=loading(NewTaskState.load),
)
def new_task() -> rx.Component:
    """Whom to call and what for."""
    practice = NewTaskState.people.length() > 0
    return page(
        el.h1(
            rx.el.a(_("Tasks"), href="/", class_name="crumb"),
            el.span(" / ", class_name="faint"),
            _("New task"),
        ),
        el.form(
            Draft.create(
                name=NewTaskState.draft,
                prefill=NewTaskState.prefill,
                rows=NewTaskState.findings.length(),
                on_typed=NewTaskState.typed,
            ),
            _phone(),
            rx.cond(practice, _practice()),
            rx.cond(NewTaskState.zones.length() > 0, _which_zone()),
            _goal(),
            el.div(_contact(), _language(), class_name="pair"),
            _context(),
            _when(),
            options(),
            rx.cond(NewTaskState.plan.summary != "", _plan()),
            rx.cond(
                NewTaskState.errors.contains("form"),
                el.div(NewTaskState.errors["form"], class_name="error", role="alert"),
            ),
            el.div(
                el.button(
                    icon("phone-outgoing", 16),
                    _("Start the task"),
                    type="submit",
                    class_name="btn primary big",
                    custom_attrs=hook("task-submit"),
                ),
                el.a(_("Cancel"), href="/", class_name="btn ghost big"),
                class_name="row",
            ),
            on_submit=NewTaskState.submit,
            reset_on_submit=False,
            no_validate=True,
            class_name=rx.cond(practice, "form with-aside", "form"),
        ),
        here="/tasks/new",
        loaders=loading(),
    )


def _phone() -> rx.Component:
    return field(
        "phone_number",
        _("Number to call"),
        el.div(
            el.input(
                name="phone_number",
                id="phone_number",
                type="tel",
                class_name="field num",
                placeholder="+1 202 555 0143",
                auto_complete="off",
                aria_invalid=invalid(NewTaskState.errors, "phone_number"),
                custom_attrs=hook("task-phone"),
            ),
            rx.cond(
                NewTaskState.checked,
                el.div(
                    el.span(NewTaskState.flag, aria_hidden="true", font_size="16px"),
                    el.b(NewTaskState.international, class_name="num"),
                    el.span(
                        NewTaskState.country,
                        rx.cond(
                            NewTaskState.local_time != "",
                            rx.fragment(
                                _(" · it is {time} there").format(time=NewTaskState.local_time)
                            ),
                        ),
                        class_name="num",
                    ),
                    class_name="checked",
                    aria_live="polite",
                    custom_attrs=hook("phone-check"),
                ),
            ),
        ),
        _("with country code"),
        errors=NewTaskState.errors,
    )


def _which_zone() -> rx.Component:
    def zone(row: rx.Var[ZoneRow]) -> rx.Component:
        return el.option(row.label, value=row.zone)

    return field(
        "time_zone",
        _("Where are they?"),
        el.select(
            el.option(_("Choose their time zone"), value=""),
            rx.foreach(NewTaskState.zones, zone),
            id="time_zone",
            name="time_zone",
            class_name="field",
            aria_invalid=invalid(NewTaskState.errors, "time_zone"),
            custom_attrs=hook("task-zone"),
        ),
        _("this number can be in several time zones, and nobody should be called at night"),
        errors=NewTaskState.errors,
    )


def _goal() -> rx.Component:
    return field(
        "goal",
        _("What should the call achieve?"),
        el.div(
            el.textarea(
                name="goal",
                id="goal",
                class_name="field",
                max_length=4000,
                rows=3,
                placeholder=_("Move my dentist appointment to next week, mornings only."),
                aria_invalid=invalid(NewTaskState.errors, "goal"),
                custom_attrs=hook("task-goal"),
            ),
            el.div(
                *(
                    Put.create(label, into="goal", text=goal, class_name="chip")
                    for label, goal in EXAMPLES.items()
                ),
                class_name="examples",
                aria_label=_("Examples"),
                role="group",
            ),
        ),
        errors=NewTaskState.errors,
    )


def _contact() -> rx.Component:
    return field(
        "contact_name",
        _("Who is that?"),
        el.input(
            name="contact_name",
            id="contact_name",
            class_name="field",
            max_length=120,
            auto_complete="off",
            placeholder=_("Bright Smile Dental"),
        ),
        _("optional"),
        errors=NewTaskState.errors,
    )


def _language() -> rx.Component:
    return field(
        "language",
        _("Language"),
        el.select(
            *(el.option(name, value=code) for code, name in LANGUAGES.items()),
            id="language",
            name="language",
            class_name="field",
        ),
        _("of the call"),
        errors=NewTaskState.errors,
    )


def _context() -> rx.Component:
    return field(
        "context",
        _("What else should the agent know?"),
        el.textarea(
            name="context",
            id="context",
            class_name="field",
            max_length=8000,
            rows=3,
            placeholder=_(
                "Names, dates, reference numbers. It asks you when something is missing."
            ),
        ),
        _("optional"),
        errors=NewTaskState.errors,
    )


def _when() -> rx.Component:
    return field(
        "not_before",
        _("Not before"),
        el.input(
            id="not_before",
            name="not_before",
            type="datetime-local",
            class_name="field num",
            aria_invalid=invalid(NewTaskState.errors, "not_before"),
            custom_attrs=hook("task-not-before"),
        ),
        _("their time; empty means as soon as possible"),
        errors=NewTaskState.errors,
    )


def _plan() -> rx.Component:
    plan = NewTaskState.plan

    def step(row: rx.Var[StepRow]) -> rx.Component:
        return el.li(
            el.div(row.words),
            Exact.create(at=row.after, zone=plan.zone, class_name="faint small num"),
            class_name=rx.cond(row.closed, "closed", ""),
        )

    return el.section(
        el.p(plan.summary, font_weight="550", custom_attrs=hook("plan-summary")),
        el.ol(
            rx.foreach(plan.calls, lambda call: el.li(call, class_name="num")),
            class_name="plan-calls",
            aria_label=_("Planned calls, their time"),
        ),
        el.details(
            el.summary(icon("chevron-right", 14), _("Why then?"), custom_attrs=hook("plan-why")),
            el.div(
                el.ol(rx.foreach(plan.steps, step), class_name="why"),
                el.p(
                    _("They may be called: {hours}.").format(hours=plan.hours),
                    class_name="faint small",
                ),
            ),
            class_name="fold",
        ),
        class_name="plan",
        aria_live="polite",
        aria_label=_("When the calls will be"),
        custom_attrs=hook("plan"),
    )


def _practice() -> rx.Component:
    return el.div(
        el.div(
            _("Or somebody on the practice line"),
            el.span(_("no real phone rings"), class_name="faint"),
            class_name="label",
        ),
        el.div(rx.foreach(NewTaskState.people, _person), class_name="people"),
        class_name="aside",
    )


def _person(row: rx.Var[PersonRow]) -> rx.Component:
    return Put.create(
        el.b(row.name),
        el.span(row.behaviour),
        into="phone_number",
        text=row.number,
        class_name="person",
        custom_attrs=hook("practice-person", phone=row.number)
        | {"aria-pressed": rx.cond(NewTaskState.international == row.number, "true", "false")},
    )
