"""What Prometheus may know: how many, how long, since when. No number, no name, no id."""

from importlib.metadata import version

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

LONG_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5, 5.0, 10.0)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})


class Measures:
    """The figures of one web process, in a registry of its own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "recorder_http_requests",
            "Requests answered.",
            ["method", "route", "status"],
            registry=self._registry,
        )
        self._seconds = Histogram(
            "recorder_http_request_seconds",
            "From the request's head to the end of its answer.",
            ["route"],
            buckets=LONG_S,
            registry=self._registry,
        )
        self.streams = Gauge(
            "recorder_playbacks_running", "Recordings being listened to.", registry=self._registry
        )
        self._refusals = Counter(
            "recorder_access_refusals",
            "Requests refused by a rule.",
            ["reason"],
            registry=self._registry,
        )
        self._gauges: dict[str, Gauge] = {}
        self.set("recorder_build_info", "The release.", 1, version=version("rejestrator"))

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request by its route's template."""
        known = method if method in METHODS else "OTHER"
        self._requests.labels(known, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def refused(self, reason: str) -> None:
        """Count one refusal."""
        self._refusals.labels(reason).inc()

    def set(self, name: str, says: str, value: float, **labels: str) -> None:
        """Set a gauge of the service, made at its first use."""
        if name not in self._gauges:
            self._gauges[name] = Gauge(name, says, list(labels), registry=self._registry)
        gauge = self._gauges[name]
        (gauge.labels(**labels) if labels else gauge).set(value)

    def forget(self, name: str) -> None:
        """Drop the label values of a gauge before they are set anew."""
        if gauge := self._gauges.get(name):
            gauge.clear()

    def text(self) -> bytes:
        """Return everything as Prometheus reads it."""
        return generate_latest(self._registry)
