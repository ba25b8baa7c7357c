"""What kafka-python's own tests import of `test.service`, which its distribution leaves out: a broker
that somebody else runs."""


class ExternalService:
    def __init__(self, host, port):
        self.host = host
        self.port = port

    def open(self):
        pass

    def close(self):
        pass

    def dump_logs(self):
        pass


class SpawnedService:
    def __init__(self, *_arguments):
        raise RuntimeError("these tests start no broker")
