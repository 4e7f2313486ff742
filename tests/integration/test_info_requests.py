"""The question loop: an answer, a deadline and the end of the call race; exactly one wins."""

import asyncio
from collections import Counter
from datetime import timedelta

import pytest

from opendeep_app.adapters.telephony import CarrierCall
from opendeep_app.bus import AnswerGiven
from opendeep_app.errors import Conflict, InvalidInput, NotFound
from opendeep_app.models import CallOutcome, EndedBy, InfoRequestStatus, Speaker, TaskStatus
from opendeep_app.models.call_analysis import Verdict
from opendeep_app.services import calls, info_requests, reconciling
from opendeep_app.voice import brief
from tests.fixtures.lives import Life, add_user, found, sid_of

ROUNDS = 6
Status = InfoRequestStatus


async def test_answered_in_time_it_goes_into_the_live_call(life: Life) -> None:
    task_id = await life.create()
    call_id = await life.talk()
    question_id = await life.ask(call_id)
    assert await life.pending() == [question_id]
    async with life.db.unit_of_work() as uow:
        request = await info_requests.answer(uow, life.user_id, question_id, " Ada. ", "web")
        assert (request.status, request.answer) == (Status.ANSWERED, "Ada.")
        assert uow.commands == [
            AnswerGiven(call_id=call_id, info_request_id=question_id, answer="Ada.")
        ]
    assert await life.pending() == []
    assert (await life.task(task_id)).status is TaskStatus.IN_PROGRESS
    await life.close(call_id)
    assert (await life.task(task_id)).status is TaskStatus.PENDING_ANALYSIS
    await life.check()


async def test_question_answered_too_late_rings_back(life: Life) -> None:
    task_id = await life.create(max_attempts=1)
    first = await life.talk()
    question_id = await life.ask(first)
    life.clock.advance(seconds=31)
    assert await life.expire(question_id)
    await life.close(first)
    assert (await life.call(first)).outcome is CallOutcome.AWAITING_INFO
    assert (await life.task(task_id)).status is TaskStatus.PENDING_USER_INFO
    await life.check()
    await life.analyse(first, found(Verdict.INCONCLUSIVE))
    assert (await life.task(task_id)).status is TaskStatus.PENDING_USER_INFO
    assert await life.claim() == []

    life.clock.advance(hours=1)
    assert await life.answer(question_id) is Status.ANSWERED_LATE
    await life.check()
    second = await life.talk()
    async with life.db.reading() as session:
        briefing = await calls.load_briefing(session, second)
    assert [answer.answer for answer in briefing.answers] == ["Ada."]
    assert [earlier.call.id for earlier in briefing.earlier_calls] == [first]
    assert [line.text for line in briefing.earlier_calls[0].lines] == ["Hello?"]
    await life.close(second)
    await life.analyse(second, found(Verdict.GOAL_MET))
    assert (await life.task(task_id)).status is TaskStatus.COMPLETED
    assert await life.events(task_id) == [
        *("task_created", "call_claimed", "call_dialled", "call_answered", "info_requested"),
        *("info_expired", "call_ended", "info_awaited", "call_analysed", "info_answered"),
        *("info_callback_scheduled", "call_claimed", "call_dialled", "call_answered"),
        *("call_ended", "call_analysed", "goal_met"),
    ]
    await life.check()


async def test_nothing_can_be_asked_before_somebody_is_on_the_line(life: Life) -> None:
    await life.create()
    [claimed] = await life.claim()
    with pytest.raises(Conflict, match="Nobody is on the line"):
        await life.ask(claimed)
    assert await life.pending() == []


async def test_an_answer_between_deadline_and_goodbye_rings_back_at_once(life: Life) -> None:
    task_id = await life.create()
    call_id = await life.talk()
    question_id = await life.ask(call_id)
    assert await life.expire(question_id)
    assert await life.answer(question_id) is Status.ANSWERED_LATE
    assert (await life.task(task_id)).status is TaskStatus.IN_PROGRESS
    await life.close(call_id)
    task = await life.task(task_id)
    assert (task.status, task.next_action_at) == (TaskStatus.PENDING, life.clock())
    await life.analyse(call_id, found(Verdict.INCONCLUSIVE))
    assert (await life.task(task_id)).status is TaskStatus.PENDING
    assert len(await life.claim()) == 1
    await life.check()


async def test_hanging_up_while_waiting_leaves_the_question_open_for_later(life: Life) -> None:
    task_id = await life.create()
    call_id = await life.talk()
    question_id = await life.ask(call_id)
    await life.close(call_id, EndedBy.RECIPIENT)
    assert (await life.question(question_id)).status is Status.EXPIRED
    assert (await life.task(task_id)).status is TaskStatus.PENDING_USER_INFO
    assert await life.pending() == [question_id]
    await life.check()


@pytest.mark.parametrize("ended_by", [EndedBy.RECIPIENT, EndedBy.CARRIER, EndedBy.SYSTEM])
async def test_an_answer_that_nobody_heard_any_more_rings_back(
    life: Life, ended_by: EndedBy
) -> None:
    """The last attempt, and the line goes dead between the answer and the agent's sentence."""
    task_id = await life.create(max_attempts=1)
    first = await life.talk()
    await life.say(first, Speaker.AGENT, "One moment, let me check.")
    question_id = await life.ask(first)
    life.clock.advance(seconds=5)
    assert await life.answer(question_id) is Status.ANSWERED
    await life.close(first, ended_by)
    task = await life.task(task_id)
    assert (task.status, task.next_action_at) == (TaskStatus.PENDING, life.clock())
    await life.analyse(first, found(Verdict.INCONCLUSIVE))
    second = await life.talk()
    async with life.db.reading() as session:
        briefing = await calls.load_briefing(session, second)
    assert "I have the answer now" in brief.write(briefing)
    await life.close(second)
    await life.check()


async def test_an_answer_that_was_said_is_not_called_back_for(life: Life) -> None:
    task_id = await life.create(max_attempts=1)
    call_id = await life.talk()
    question_id = await life.ask(call_id)
    await life.answer(question_id)
    life.clock.advance(seconds=1)
    await life.say(call_id, Speaker.AGENT, "It is Ada.")
    await life.close(call_id, EndedBy.RECIPIENT)
    assert (await life.task(task_id)).status is TaskStatus.PENDING_ANALYSIS


async def test_with_two_questions_it_waits_for_both_answers(life: Life) -> None:
    task_id = await life.create()
    call_id = await life.talk()
    one = await life.ask(call_id, "Which name?", "f1")
    other = await life.ask(call_id, "Which day?", "f2")
    await life.close(call_id)
    await life.answer(one)
    assert (await life.task(task_id)).status is TaskStatus.PENDING_USER_INFO
    await life.answer(other, "Friday.")
    assert (await life.task(task_id)).status is TaskStatus.PENDING
    await life.check()


async def test_an_answer_at_night_calls_in_the_morning(life: Life) -> None:
    task_id = await life.create()
    call_id = await life.talk()
    question_id = await life.ask(call_id)
    await life.close(call_id)
    life.clock.now = life.clock.now.replace(hour=4) + timedelta(days=1)
    await life.answer(question_id)
    task = await life.task(task_id)
    assert task.next_action_at == life.clock.now.replace(hour=12)
    assert "You answered the agent's question" in task.next_action_reason


async def test_the_same_question_twice_is_one(life: Life) -> None:
    task_id = await life.create()
    call_id = await life.talk()
    same_key = await asyncio.gather(*(life.ask(call_id, f"Name {n}?", "f1") for n in range(5)))
    assert len(set(same_key)) == 1
    same_words = await asyncio.gather(*(life.ask(call_id, "Day?", f"g{n}") for n in range(5)))
    assert len(set(same_words)) == 1
    assert Counter(await life.events(task_id))["info_requested"] == 2
    await life.check()


async def test_answer_and_deadline_together_have_one_winner(life: Life) -> None:
    task_id = await life.create(max_attempts=20)
    for index in range(ROUNDS):
        call_id = await life.talk()
        question_id = await life.ask(call_id, key=f"f{index}")
        race = [life.answer(question_id), life.expire(question_id), life.expire(question_id)]
        answered, *expired = await asyncio.gather(*race[index % 3 :], *race[: index % 3])
        results = [answered, *expired]
        status = (await life.question(question_id)).status
        assert status in (Status.ANSWERED, Status.ANSWERED_LATE)
        assert status in results
        assert results.count(True) == (status is Status.ANSWERED_LATE)
        await life.close(call_id)
        expected = {
            Status.ANSWERED: TaskStatus.PENDING_ANALYSIS,
            Status.ANSWERED_LATE: TaskStatus.PENDING,
        }[status]
        assert (await life.task(task_id)).status is expected
        await life.check()
        await life.analyse(call_id, found(Verdict.INCONCLUSIVE))
        life.clock.advance(days=1)


async def test_answer_deadline_and_end_of_call_together_never_strand_the_task(life: Life) -> None:
    """Whatever comes first, a task that waits for its creator is really owed an answer."""
    task_id = await life.create(max_attempts=20)
    for index in range(ROUNDS):
        call_id = await life.talk()
        question_id = await life.ask(call_id, key=f"f{index}")
        race = [life.close(call_id), life.answer(question_id), life.expire(question_id)]
        await asyncio.gather(*race[index % 3 :], *race[: index % 3])
        await life.check()
        status = (await life.task(task_id)).status
        question = await life.question(question_id)
        if question.status is Status.ANSWERED:
            assert status is TaskStatus.PENDING_ANALYSIS
        else:
            assert (question.status, status) == (Status.ANSWERED_LATE, TaskStatus.PENDING)
        await life.analyse(call_id, found(Verdict.INCONCLUSIVE))
        life.clock.advance(days=1)


async def test_of_many_answers_the_first_counts(life: Life) -> None:
    task_id = await life.create()
    call_id = await life.talk()
    question_id = await life.ask(call_id)
    texts = ["Ada.", "Grace.", "Edith.", "Mary."]
    results = await asyncio.gather(
        *(life.answer(question_id, text) for text in texts), return_exceptions=True
    )
    [winner] = [index for index, result in enumerate(results) if result is Status.ANSWERED]
    losers = [result for index, result in enumerate(results) if index != winner]
    assert (await life.question(question_id)).answer == texts[winner]
    for loser in losers:
        assert isinstance(loser, Conflict)
        assert f"answered already: “{texts[winner]}”" in loser.message
    assert Counter(await life.events(task_id))["info_answered"] == 1


async def test_the_winner_at_the_deadline_is_one(life: Life) -> None:
    await life.create()
    call_id = await life.talk()
    question_id = await life.ask(call_id)
    assert (await asyncio.gather(*(life.expire(question_id) for _ in range(6)))).count(True) == 1


async def test_cancelling_withdraws_the_question(life: Life) -> None:
    task_id = await life.create()
    call_id = await life.talk()
    question_id = await life.ask(call_id)
    await life.wish("cancel", task_id)
    assert (await life.question(question_id)).status is Status.CANCELLED
    with pytest.raises(Conflict, match="not needed any more"):
        await life.answer(question_id)
    assert not await life.expire(question_id)
    with pytest.raises(Conflict, match="The call is over"):
        await life.ask(call_id, "And now?", "f2")
    await life.check()


async def test_nothing_is_asked_when_the_call_is_over(life: Life) -> None:
    await life.create()
    call_id = await life.talk()
    await life.close(call_id)
    with pytest.raises(Conflict, match="The call is over"):
        await life.ask(call_id)


async def test_a_question_is_its_creators_alone(life: Life) -> None:
    await life.create()
    question_id = await life.ask(await life.talk())
    stranger = Life(life.db, life.clock, await add_user(life.db, "eve@example.com"))
    assert await stranger.pending() == []
    with pytest.raises(NotFound):
        await stranger.answer(question_id)
    assert (await life.question(question_id)).status is Status.OPEN


@pytest.mark.parametrize("text", ["", "  \n ", "\x00\x07", "x" * 2001])
async def test_an_unusable_answer_is_refused_and_changes_nothing(life: Life, text: str) -> None:
    await life.create()
    question_id = await life.ask(await life.talk())
    with pytest.raises(InvalidInput) as refused:
        await life.answer(question_id, text)
    assert refused.value.field == "answer"
    assert (await life.question(question_id)).status is Status.OPEN


async def test_an_odd_answer_is_stored_without_what_no_database_takes(life: Life) -> None:
    await life.create()
    question_id = await life.ask(await life.talk())
    await life.answer(question_id, "Ada\x00 \ud800Lovelace\nat 8 🙂")
    assert (await life.question(question_id)).answer == "Ada Lovelace\nat 8 🙂"


async def test_odd_words_of_the_model_do_not_break_the_call(life: Life) -> None:
    await life.create()
    call_id = await life.talk()
    async with life.db.unit_of_work() as uow:
        request = await info_requests.ask(
            uow, call_id, "f1", "Which\x00 name\ud800?", "One\x00 moment", None, ["A\x00da"] * 9
        )
    question = await life.question(request.id)
    assert question.question == "Which name?"
    assert question.recipient_message == "One moment"
    assert question.suggestions == ["Ada"] * 6
    await life.check()


@pytest.mark.parametrize(
    ("of_task", "of_model", "seconds"),
    [(None, None, 30), (None, 2, 30), (None, 90, 90), (60, 10, 60), (5, 0, 5), (10, 9999, 600)],
)
async def test_the_model_may_lengthen_the_wait_but_not_shorten_it(
    life: Life, of_task: float | None, of_model: float | None, seconds: float
) -> None:
    await life.create(info_timeout_seconds=of_task)
    call_id = await life.talk()
    async with life.db.unit_of_work() as uow:
        request = await info_requests.ask(uow, call_id, "f1", "Name?", timeout_seconds=of_model)
    assert request.timeout_seconds == seconds
    assert request.deadline_at - life.clock() == timedelta(seconds=seconds)


async def test_an_answer_as_the_gateway_is_found_dead_is_never_lost(life: Life) -> None:
    """The call is closed by whoever looks after dead gateways while the answer arrives."""
    task_id = await life.create(max_attempts=20)
    for index in range(ROUNDS):
        call_id = await life.talk()
        question_id = await life.ask(call_id, key=f"f{index}")
        life.clock.advance(seconds=20)

        async def look_up(call_id: str = call_id) -> None:
            listed = CarrierCall(sid_of(call_id), "in-progress", None)
            async with life.db.unit_of_work() as uow:
                await reconciling.take_look_up(uow, call_id, listed)

        race = [life.answer(question_id), look_up()]
        await asyncio.gather(*race[:: 1 - 2 * (index % 2)])
        await life.check()
        assert not (await life.call(call_id)).status.live
        assert (await life.question(question_id)).answer == "Ada."
        assert (await life.task(task_id)).status is TaskStatus.PENDING, "nobody heard the answer"
        await life.analyse(call_id, found(Verdict.INCONCLUSIVE))
        life.clock.advance(days=1)


async def test_an_answer_and_a_cancellation_together_leave_nothing_open(life: Life) -> None:
    for index in range(ROUNDS):
        task_id = await life.create(f"+1202555011{index}")
        question_id = await life.ask(call_id := await life.talk())
        race = [life.answer(question_id), life.wish("cancel", task_id)]
        both = await asyncio.gather(*race[:: 1 - 2 * (index % 2)], return_exceptions=True)
        status = (await life.question(question_id)).status
        refused = any(isinstance(each, Conflict) for each in both)
        assert status is (Status.CANCELLED if refused else Status.ANSWERED)
        assert (await life.task(task_id)).status is TaskStatus.CANCELLED
        assert await life.pending() == []
        await life.close(call_id)
        await life.check()


async def test_two_last_answers_together_make_one_new_call(life: Life) -> None:
    task_id = await life.create(max_attempts=20)
    for index in range(ROUNDS):
        call_id = await life.talk()
        ids = [await life.ask(call_id, f"Number {n}?", f"f{index}-{n}") for n in range(2)]
        await life.close(call_id, EndedBy.RECIPIENT)
        both = await asyncio.gather(*(life.answer(each) for each in ids))
        assert both == [Status.ANSWERED_LATE] * 2
        assert (await life.task(task_id)).status is TaskStatus.PENDING
        assert Counter(await life.events(task_id))["info_callback_scheduled"] == index + 1
        await life.check()
        await life.analyse(call_id, found(Verdict.INCONCLUSIVE))
