"""Where data can be sent on to, by kind. A forwarder is one small file, one line here, and the contract suite run on it."""

from iotpanel.registry import Registry

from .base import Adapter, Message

FORWARDERS: Registry[type[Adapter]] = Registry(
    "forwarder",
    {
        "http": "rules.forwarders.http:HttpForwarder",
        "mqtt": "rules.forwarders.mqtt:MqttForwarder",
        "kafka": "rules.forwarders.kafka:KafkaForwarder",
        "rabbitmq": "rules.forwarders.rabbitmq:RabbitmqForwarder",
        "rocketmq": "rules.forwarders.rocketmq:RocketmqForwarder",
        "nats": "rules.forwarders.nats:NatsForwarder",
        "mysql": "rules.forwarders.mysql:MysqlForwarder",
        "postgresql": "rules.forwarders.postgresql:PostgresqlForwarder",
        "influxdb": "rules.forwarders.influxdb:InfluxdbForwarder",
        "clickhouse": "rules.forwarders.clickhouse:ClickhouseForwarder",
        "redis": "rules.forwarders.redis:RedisForwarder",
        "s3": "rules.forwarders.s3:S3Forwarder",
        "log": "rules.forwarders.log:LogForwarder",
    },
)

__all__ = ["FORWARDERS", "Adapter", "Message"]
