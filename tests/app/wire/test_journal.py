"""The chain of a journal's rows: no byte, no place and no owner can be exchanged unseen."""

from __future__ import annotations

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from app.wire import GENESIS, Batch, JournalRow, batch_message, row_hash

payloads = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
epochs, sequences = st.integers(1, 2**31), st.integers(1, 2**53)
hashes = st.binary(min_size=32, max_size=32).map(bytes.hex)
contents = st.tuples(st.uuids(), epochs, sequences, hashes, payloads)


def chain(device: UUID, epoch: int, texts: list[str]) -> list[JournalRow]:
    rows: list[JournalRow] = []
    for sequence, payload in enumerate(texts, 1):
        previous = rows[-1].hash if rows else GENESIS
        digest = row_hash(device, epoch, sequence, previous, payload)
        rows.append(JournalRow(sequence=sequence, previous=previous, hash=digest, payload=payload))
    return rows


@given(contents, contents)
def test_two_rows_have_one_hash_only_if_they_are_one_row(one: tuple[object, ...], other: tuple[object, ...]) -> None:
    same = row_hash(*one) == row_hash(*other)  # type: ignore[arg-type]
    assert same == (one == other)


@given(contents, st.data())
def test_a_row_that_differs_anywhere_has_another_hash(row: tuple[object, ...], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, 4))
    other = data.draw([st.uuids(), epochs, sequences, hashes, payloads][place])
    changed = (*row[:place], other, *row[place + 1 :])
    assert (row_hash(*changed) == row_hash(*row)) == (changed == row)  # type: ignore[arg-type]


@given(st.uuids(), epochs, st.lists(payloads, min_size=2, max_size=8), st.data())
def test_the_last_hash_stands_for_every_row_before_it(
    device: UUID, epoch: int, texts: list[str], data: st.DataObject
) -> None:
    head = chain(device, epoch, texts)[-1].hash
    place = data.draw(st.integers(0, len(texts) - 1))
    altered = [*texts[:place], texts[place] + "x", *texts[place + 1 :]]
    assert chain(device, epoch, altered)[-1].hash != head
    assert chain(device, epoch, texts[:place] + texts[place + 1 :])[-1].hash != head
    turned = texts[::-1]
    assert (chain(device, epoch, turned)[-1].hash == head) == (turned == texts)


@given(st.uuids(), st.integers(1, 100), st.lists(payloads, min_size=1, max_size=6), st.data())
def test_what_is_signed_names_device_epoch_range_and_head(
    device: UUID, epoch: int, texts: list[str], data: st.DataObject
) -> None:
    rows = tuple(chain(device, epoch, texts))
    first = data.draw(st.integers(0, len(rows) - 1))
    batch = Batch(device=device, epoch=epoch, rows=rows[first:], sent_at_us=0, signature="")
    signed = batch.message()
    assert signed == batch_message(device, epoch, first + 1, len(rows), rows[-1].hash)
    others = {
        batch_message(UUID(int=device.int ^ 1), epoch, first + 1, len(rows), rows[-1].hash),
        batch_message(device, epoch + 1, first + 1, len(rows), rows[-1].hash),
        batch_message(device, epoch, first + 2, len(rows), rows[-1].hash),
        batch_message(device, epoch, first + 1, len(rows) + 1, rows[-1].hash),
        batch_message(device, epoch, first + 1, len(rows), rows[-1].previous),
    }
    assert signed not in others
    assert len(others) == 5
