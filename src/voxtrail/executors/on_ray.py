"""Many processes or machines, on Ray: an actor with a model gets one item after another."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from typing import Any, ClassVar, Generic

from voxtrail.errors import OptionError, WorkError
from voxtrail.executors.base import Executor, Item, Result, Work

#: How often an item is begun before it counts as failed: it may be what kills its workers.
ATTEMPTS = 3


@dataclass(frozen=True)
class OnRay(Executor):
    """One actor a GPU, or a group of CPUs where the cluster has no GPU.

    An actor has one item at a time and gets the next when that is done, so nothing piles up. Where
    an actor is lost, with its machine or by itself, its item goes back to the head of the queue and
    a new actor is asked for. Results come an item at a time.

    Parameters
    ----------
    address
        Of a cluster, such as ``auto`` or ``ray://head:10001``; empty starts Ray here.
    workers
        How many actors at most; 0 for as many as there is room for.
    cpus
        CPUs an actor.

    Raises
    ------
    OptionError
        On `run`, if Ray is not installed or the cluster cannot be reached.
    WorkError
        On `run`, if no worker stays alive.
    """

    name: ClassVar[str] = "ray"
    here: ClassVar[bool] = False
    address: str = ""
    workers: int = 0
    cpus: int = 1

    def __post_init__(self) -> None:
        if self.workers < 0 or self.cpus < 1:
            raise OptionError(
                "a number of workers or CPUs that is out of range",
                received=f"workers={self.workers}, cpus={self.cpus}",
                accepted="workers of 0 (as many as there is room for) or more, cpus of 1 or more",
                remedy="write for example --workers 4",
            )

    def run(self, items: Sequence[Item], work: Work[Item, Result]) -> Iterator[tuple[Item, Result]]:
        """Work on items; see `Executor.run`."""
        if not items:
            return
        ray = _ray()
        started = not ray.is_initialized()
        if started:
            self._connect(ray)
        try:
            # Ray tells on standard output of workers that died; that is where results go.
            with redirect_stdout(sys.stderr):
                yield from _Crew(ray, self, work, len(items)).run(items)
        finally:
            if started:
                ray.shutdown()

    def _connect(self, ray: Any) -> None:
        try:
            ray.init(
                address=self.address or "local",
                include_dashboard=None if self.address else False,
                log_to_driver=False,
                logging_level="ERROR",
            )
        except (ConnectionError, RuntimeError, ValueError, OSError) as error:
            raise OptionError(
                "the Ray cluster cannot be reached",
                received=f"{self.address or 'a new one here'}: {error}",
                accepted="the address of a running cluster, or none for one of its own",
                remedy="start one with 'ray start --head', or leave --address out",
            ) from error


class _RayWorker:
    """An actor: what works on items, with its model, in a process of its own."""

    def __init__(self, work: Work[Any, Any]) -> None:
        self._results_of = work.begin()

    def ready(self) -> None:
        """Answer once the actor is there."""

    def run(self, item: Any) -> list[Any]:
        """Work on one item."""
        return list(self._results_of(item))


class _Crew(Generic[Item, Result]):
    """The actors of one run, and what each is doing."""

    def __init__(self, ray: Any, asked: OnRay, work: Work[Item, Result], num_items: int) -> None:
        self._ray = ray
        self._work = work
        there = ray.cluster_resources()
        on_gpu = work.device in ("auto", "cuda") and there.get("GPU", 0) >= 1
        room = int(there["GPU"]) if on_gpu else int(there.get("CPU", 1)) // asked.cpus
        self._size = max(1, min(room, num_items, asked.workers or room))
        self._kind = ray.remote(_RayWorker).options(
            num_cpus=asked.cpus, num_gpus=1 if on_gpu else 0, scheduling_strategy="SPREAD"
        )
        self._actors: list[Any] = []
        #: By reference: the actor, and its item with the number of the attempt; None while it
        #: starts.
        self._flying: dict[Any, tuple[Any, tuple[Item, int] | None]] = {}
        self._false_starts = 0

    def run(self, items: Sequence[Item]) -> Iterator[tuple[Item, Result]]:
        """Work on all items."""
        from ray.exceptions import RayError, RayTaskError

        waiting = deque((item, 1) for item in items)
        idle: list[Any] = []
        for _ in range(self._size):
            self._hire()
        while waiting or any(doing for _, doing in self._flying.values()):
            while waiting and idle:
                actor = idle.pop()
                item, attempt = waiting.popleft()
                self._flying[actor.run.remote(item)] = actor, (item, attempt)
            (done,), _ = self._ray.wait(list(self._flying), num_returns=1)
            actor, doing = self._flying.pop(done)
            try:
                results = self._ray.get(done)
            except RayTaskError as error:
                # Beyond what a worker catches itself, such as a result that cannot be sent.
                idle.append(actor)
                results = self._work.given_up(doing[0], str(error)) if doing else []
            except RayError as error:  # the worker died, or was killed where memory ran out
                self._replace(actor, doing is None, error)
                if doing is None:
                    continue
                item, attempt = doing
                if attempt < ATTEMPTS:
                    waiting.appendleft((item, attempt + 1))
                    continue
                reason = f"lost {ATTEMPTS} workers that worked on it: {error}"
                results = self._work.given_up(item, reason)
            else:
                idle.append(actor)
            if doing is not None:
                for finished in results:
                    yield doing[0], finished
        for actor in self._actors:
            self._ray.kill(actor)

    def _hire(self) -> None:
        actor = self._kind.remote(self._work)
        self._actors.append(actor)
        # It is handed work once it is there, so that no item waits for a machine that never
        # comes.
        self._flying[actor.ready.remote()] = actor, None

    def _replace(self, actor: Any, never_came: bool, error: Exception) -> None:
        self._actors.remove(actor)
        self._ray.kill(actor)  # what is given up must not hold a place that another needs
        self._false_starts = self._false_starts + 1 if never_came else 0
        if self._false_starts > ATTEMPTS * self._size:
            raise WorkError(f"workers die as they start; the last said: {error}")
        self._hire()


def _ray() -> Any:
    try:
        import ray
    except ImportError as error:
        raise OptionError(
            "the package of the ray executor is not installed",
            received="ray",
            accepted="an environment with ray, or --executor serial",
            remedy="pip install 'voxtrail[ray]'",
        ) from error
    return ray
