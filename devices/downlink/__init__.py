"""The way back to the device: commands and shadows, each of whose rows is its own outbox.

commands.py    send, cancel: rows, in the caller's transaction
shadow.py      desired and reported state
progress.py    what devices say of updates and new secrets, in the uplink batch's transaction
errand_outbox.py  offers of updates, pieces of images, new secrets on their way down
wake.py        NOTIFY: which devices there is something for, and which commands have ended
dispatch.py    the thread that publishes what is due; part of the uplink worker
claims.py      which commands may go now; claimed and committed before they are published
carrier.py     the connection to the broker
payloads.py    topics and bytes
pace.py        rate limits
sweep.py       what ends because time has passed
replies.py     what devices answer, in the uplink batch's transaction
moves.py       every change of a command's state, told to those who want to know
waiting.py     a request that waits for the end of a command
"""
