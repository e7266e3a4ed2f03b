"""Webhooks that rules name themselves: a request to a URL, with the body that the rule's template made."""

from collections.abc import Sequence

from rules.delivery.parcels import Parcel
from rules.models import Target
from rules.outside import http


class WebhookCarrier:
    keeps = True
    gathers = False
    recorded = True
    batch = 1
    sent = ""

    def __init__(self, target: Target) -> None:
        self.stamp = self.stamp_of(target)
        self.http = http.client()

    @staticmethod
    def stamp_of(target: Target) -> object:
        return "http"

    def send(self, parcels: Sequence[Parcel]) -> str:
        (parcel,) = parcels
        said = parcel.entry
        headers = {"Content-Type": said.get("content_type", "application/json")}
        self.sent = f"{said['method']} {said['url']}\n{said['body']}"
        return http.said(http.send(self.http, said["method"], said["url"], content=said["body"].encode(), headers=headers))

    def rest(self) -> float:
        return 0.0

    def close(self) -> None:
        self.http.close()
