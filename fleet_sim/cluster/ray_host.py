"""Members as Ray actors."""

import signal
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import ray
from ray.exceptions import ActorUnavailableError, RayActorError, RayError, RayTaskError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from fleet_sim.basics.errors import UserError
from fleet_sim.cluster.endpoint import export_every_second
from fleet_sim.cluster.host import MOST_AWAY_S, PAUSE_S, Handle, MemberAway, MemberLost, Ref


class RayHost:
    """Actors on a Ray cluster: one started here, or the one at `address`.

    Actors restart after a death, without their state; calls are not retried by Ray, because what a member
    must be told again is known to its `Member` alone. Actors are named within a namespace of this run, so
    that several runs can share a cluster.
    """

    def __init__(self, address: str | None, namespace: str):
        export_every_second()
        if address is not None:
            _check_answers(address)
        on_stop = signal.getsignal(signal.SIGTERM)
        try:
            context = ray.init(
                address=address or "local",
                namespace=namespace,
                include_dashboard=None if address else True,
                log_to_driver=False,
                configure_logging=True,
                logging_level="ERROR",
            )
        except (ConnectionError, ValueError, RuntimeError) as error:
            place = (
                f"at {address} (does it ask for a token? then set RAY_AUTH_MODE=token)" if address else "here"
            )
            raise UserError(f"no Ray cluster {place}: {error}") from error
        if threading.current_thread() is threading.main_thread():
            # Ray puts handlers of its own there, which end the process without a word of how to go on.
            signal.signal(signal.SIGTERM, on_stop)
        self._dashboard_url = context.dashboard_url
        self._handles: list[Handle] = []
        self._threads = ThreadPoolExecutor(max_workers=8, thread_name_prefix="beside")

    def spawn(
        self,
        name: str,
        member: type,
        *args: object,
        cpus: float,
        gpus: float = 0,
        beside_driver: bool = False,
    ) -> Handle:
        """A new named actor that reserves these CPUs and GPUs; members spread over the cluster's machines."""
        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
        actor = ray.remote(member).options(
            name=name,
            num_cpus=cpus,
            num_gpus=gpus,
            max_restarts=-1,
            max_task_retries=0,
            scheduling_strategy=here if beside_driver else "SPREAD",
        )
        handle = actor.remote(*args)
        self._handles.append(handle)
        return handle

    def call(self, handle: Handle, method: str, *args: object, returns: int = 1) -> list[Ref]:
        """Begin a call."""
        refs = getattr(handle, method).options(num_returns=returns).remote(*args)
        return [refs] if returns == 1 else list(refs)

    def get(self, ref: Ref) -> Any:
        """The value; MemberLost if its maker died or forgot, else what the call itself raised."""
        try:
            return ray.get(ref)
        except RayTaskError as error:
            if isinstance(error.cause, MemberLost | RayError):
                raise MemberLost(str(error.cause)) from error
            raise error.cause from error
        except ActorUnavailableError as error:
            raise MemberAway(str(error)) from error
        except RayError as error:
            raise MemberLost(str(error)) from error

    def put(self, value: object) -> Ref:
        """Into the object store, once."""
        return ray.put(value)

    def background(self, work: Callable[[], Any]) -> "Future[Any]":
        """Run `work`, which starts a job on the cluster and waits for it, in a thread."""
        return self._threads.submit(work)

    def cores(self) -> int:
        """The CPUs that the cluster's machines have now."""
        return int(ray.cluster_resources().get("CPU", 1))

    def welcome(self) -> str:
        """Where to watch the run."""
        if not self._dashboard_url:
            return "This Ray cluster runs without a dashboard"
        return f"Ray dashboard at http://{self._dashboard_url}; it asks for a token: ray get-auth-token"

    def check_room(self, cpus: float, gpus: float) -> None:
        """UserError if the whole cluster has less than this."""
        have = ray.cluster_resources()
        for name, want in (("CPU", cpus), ("GPU", gpus)):
            if want > have.get(name, 0) + 1e-9:
                raise UserError(
                    f"the scenario reserves {want:g} {name}s, the cluster has {have.get(name, 0):g}: lower "
                    "cluster.shards, cluster.shard_cpus, serving.servers, cluster.server_cpus, "
                    "serving.num_gpus or train.workers"
                )

    def close(self) -> None:
        """End the actors, and the cluster if it was started here."""
        for handle in self._handles:
            ray.kill(handle)
        self._threads.shutdown(wait=False, cancel_futures=True)
        ray.shutdown()


def _check_answers(address: str) -> None:
    """UserError where nothing listens at HOST:PORT; Ray would try for a minute and say little."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if not colon or not port.isdigit():
        return  # `auto` and the like are Ray's own to resolve
    try:
        socket.create_connection((host, int(port)), timeout=5).close()
    except OSError as error:
        raise UserError(f"no Ray cluster at {address}: {error}") from error


class RayPublish:
    """Publishes through the registry actor; travels to a training worker."""

    def __init__(self, registry: Handle):
        self._registry = registry

    def __call__(self, kind: str, manifest: dict[str, object], files: dict[str, Any]) -> str:
        """The id of the published version.

        A registry that dies over it is asked again once it is back: to publish twice is to publish once.
        """
        give_up = time.monotonic() + MOST_AWAY_S
        while True:
            try:
                return str(ray.get(self._registry.publish.remote(kind, manifest, files)))
            except RayActorError:
                if time.monotonic() > give_up:
                    raise
                time.sleep(PAUSE_S)


class RayProgress:
    """Tells the registry actor how far a training is; travels to a training worker."""

    def __init__(self, registry: Handle):
        self._registry = registry

    def __call__(self, stage: str, done: int, total: int, figures: dict[str, float]) -> None:
        """Note it, without waiting."""
        self._registry.note.remote(stage, done, total, figures)
