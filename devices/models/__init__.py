"""One noun per file; import them from here."""

from .certificate import CertificateSet, DeviceCertificate
from .claim import Claim
from .command import Command, CommandState
from .credential import Credential
from .device import Device, DeviceSet
from .discovered import MAX_DISCOVERED, DiscoveredProperty
from .errand import ChunkRequest, Errand, ErrandKind, ErrandState
from .firmware import Firmware, RunningFirmware
from .group import Group, GroupSet
from .job import Job, JobState, JobTarget, TargetState
from .membership_change import GroupChange, LabelChange, TreeChange
from .presence import DevicePresence
from .presence_change import PresenceChange
from .product import Product
from .registration import RegistrationMode, RegistrationPolicy, Serial, SerialState
from .shadow import Shadow, ShadowStep

__all__ = [
    "MAX_DISCOVERED",
    "CertificateSet",
    "ChunkRequest",
    "Claim",
    "Command",
    "CommandState",
    "Credential",
    "Device",
    "DeviceCertificate",
    "DevicePresence",
    "DeviceSet",
    "DiscoveredProperty",
    "Errand",
    "ErrandKind",
    "ErrandState",
    "Firmware",
    "Group",
    "GroupChange",
    "GroupSet",
    "Job",
    "JobState",
    "JobTarget",
    "LabelChange",
    "PresenceChange",
    "Product",
    "RegistrationMode",
    "RegistrationPolicy",
    "RunningFirmware",
    "Serial",
    "SerialState",
    "Shadow",
    "ShadowStep",
    "TargetState",
    "TreeChange",
]
