import multiprocessing
import signal
from multiprocessing.connection import Connection

from llm_audit.engines.executors.processes import interrupts_blocked


def tell_blocked(connection: Connection) -> None:
    connection.send(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ()))


def test_a_process_never_hears_an_interrupt_and_this_one_still_does() -> None:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=tell_blocked, args=(theirs,), daemon=True)
    with interrupts_blocked():
        process.start()
    assert ours.poll(60)
    assert ours.recv() is True
    process.join(60)
    assert process.exitcode == 0
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())
