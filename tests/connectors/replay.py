"""What the hub asked of a stand-in, asked again while every fault befalls it in turn."""

from connectors.sandbox.faults import ACTIONS, Fault

PARAMS = {"path": "data", "to": "other", "value": 7}  # whatever a fault wants to know


def assert_every_fault_can_befall(wire, sync):
    """Fail where a stand-in breaks down over a fault: the hub would take that for a source that is down.

    `sync` has the hub read everything; each of its operations is asked once more with each fault.
    """
    asked, answer = {}, wire.answer

    def listen(method, path, headers, body):
        reply = answer(method, path, headers, body)
        asked[wire.log[-1].operation] = (method, path, headers, body)
        return reply

    wire.answer = listen
    try:
        sync()
    finally:
        wire.answer = answer
    assert asked
    for operation, request in asked.items():
        for action in ACTIONS:
            fault = wire.faults.add(Fault(action, operation, params=PARAMS))
            wire.answer(*request)
            assert (fault.hits, wire.log[-1].fault) == (1, action), (operation, action)
            wire.faults.clear()
