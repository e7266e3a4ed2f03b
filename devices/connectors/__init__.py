"""Southbound protocol adapters. A connector is given `emit`; it knows no model and no pipeline."""

from iotpanel.registry import Registry

from .base import Connector

CONNECTORS: Registry[type[Connector]] = Registry("connector", {"mqtt": "devices.connectors.mqtt:MqttConnector"})
