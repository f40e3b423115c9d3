"""A blade of version 1 of our messages: it answers Get Blade Status, and knows nothing that is sealed."""

import msgspec

from blade_agent.backplane.command import MEDIA_STATION, NET_FN_OEM
from blade_agent.backplane.message import CompletionCode

GET_BLADE_STATUS = 0x01


def age(controller):
    """Make a controller one of version 1, as far as it is asked; its bytes are those of `golden/cbc/version_1.json`."""
    answer_today = controller.answer

    def answer(request):
        if request.net_fn != NET_FN_OEM:
            return answer_today(request)
        if request.command != GET_BLADE_STATUS:
            return request.respond(CompletionCode.INVALID_COMMAND)
        response = answer_today(request)
        facts = response.data.removeprefix(MEDIA_STATION)
        return msgspec.structs.replace(response, data=MEDIA_STATION + b"\x01" + facts[1:])

    controller.answer = answer
    return controller
