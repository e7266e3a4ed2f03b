"""The addresses of the pages: nouns with the object's key; what a page shows is its query."""

from django.urls import URLPattern, URLResolver, include, path

from . import account, claim, dead_letters, first_use, frame, offline, replays, search, trust
from .alarms import views as alarms
from .devices import bulk, sparks
from .devices import views as devices
from .jobs import starting
from .jobs import views as jobs
from .ledger import views as ledger
from .overview.views import overview
from .products import codec, firmware, provisioning
from .products import views as products
from .rules import outside, trace
from .rules import views as rules

urlpatterns: list[URLPattern | URLResolver] = [
    path("", overview, name="overview"),
    # A key never is "-": what belongs to no device cannot hide one.
    path("devices/", devices.device_list, name="devices"),
    path("devices/-/sparks/", sparks.sparks, name="devices-sparks"),
    path("devices/-/export/", devices.export, name="devices-export"),
    path("devices/-/change/", devices.change_many, name="devices-change"),
    path("devices/-/bulk/", bulk.make_many, name="devices-bulk-page"),
    path("devices/-/claim/", claim.claim_device, name="device-claim"),
    path("jobs/", jobs.jobs, name="jobs"),
    path("jobs/-/new/", starting.new_job, name="job-new"),
    path("jobs/-/preview/", starting.preview, name="job-preview"),
    path("jobs/<int:pk>/", jobs.job, name="job"),
    path("jobs/<int:pk>/<str:verb>/", jobs.steer, name="job-steer"),
    path("devices/-/new/", first_use.new_device, name="device-new"),
    path("devices/<str:key>/", include("iotpanel.pages.device.urls")),
    path("devices/<str:key>/parts/", include("telemetry.urls")),
    path("products/", products.products, name="products"),
    path("products/-/take/", products.take_ready, name="products-take"),
    path("products/<str:key>/", products.product, name="product"),
    path("products/<str:key>/codec/", codec.codec, name="product-codec"),
    path("products/<str:key>/codec/try/", codec.try_out, name="product-codec-try"),
    path("products/<str:key>/topics/", products.topics, name="product-topics"),
    path("products/<str:key>/firmware/", firmware.firmware, name="product-firmware"),
    path("products/<str:key>/firmware/upload/", firmware.upload, name="product-firmware-upload"),
    path("products/<str:key>/firmware/<int:pk>/delete/", firmware.delete, name="product-firmware-delete"),
    path("products/<str:key>/provisioning/", provisioning.provisioning, name="product-provisioning"),
    path("products/<str:key>/provisioning/policy/", provisioning.policy, name="product-policy"),
    path("products/<str:key>/provisioning/secret/", provisioning.secret, name="product-secret"),
    path("products/<str:key>/provisioning/serials/", provisioning.add_serials, name="product-serials"),
    path("products/<str:key>/provisioning/serials/<int:pk>/<str:verb>/", provisioning.decide, name="product-serial"),
    path("products/<str:key>/devices/", products.devices, name="product-devices"),
    path("welcome/", first_use.welcome, name="welcome"),
    path("welcome/skip/", first_use.skip, name="welcome-skip"),
    path("dead-letters/", dead_letters.dead_letters, name="dead-letters"),
    path("dead-letters/replay/", dead_letters.replay_many, name="dead-letters-replay"),
    path("dead-letters/replays/", replays.replays, name="dead-letters-replays"),
    path("dead-letters/replays/<int:pk>/cancel/", replays.cancel, name="dead-letters-replay-cancel"),
    path("dead-letters/<int:pk>/", dead_letters.dead_letter, name="dead-letter"),
    path("dead-letters/<int:pk>/adopt/", dead_letters.adopt_child, name="dead-letter-adopt"),
    path("dead-letters/<int:pk>/replay/", dead_letters.replay_one, name="dead-letter-replay"),
    path("ledger/", ledger.ledger_page, name="ledger"),
    path("ledger/export/", ledger.export, name="ledger-export"),
    path("alarms/", alarms.alarm_list, name="alarms"),
    path("alarms/-/acknowledge/", alarms.acknowledge_many, name="alarms-acknowledge"),
    path("alarms/<int:pk>/", alarms.alarm, name="alarm"),
    path("alarms/<int:pk>/<str:verb>/", alarms.act, name="alarm-act"),
    path("rules/", rules.rule_list, name="rules"),
    path("rules/-/new/", rules.new_rule, name="rule-new"),
    path("rules/-/read/", rules.read, name="rule-read"),
    path("rules/-/devices/", rules.devices, name="rule-devices"),
    path("rules/-/backtest/", rules.test, name="rule-backtest"),
    path("rules/<int:pk>/", rules.rule, name="rule"),
    path("rules/<int:pk>/switch/", rules.switch, name="rule-switch"),
    path("rules/<int:pk>/delete/", rules.delete, name="rule-delete"),
    path("rules/<int:pk>/trace/", trace.trace, name="rule-trace"),
    path("rules/<int:pk>/retry/", outside.retry, name="rule-retry"),
    path("forwarders/", include("iotpanel.pages.forwarders")),
    path("notices/", include("iotpanel.pages.notices")),
    path("maintenance/", include("iotpanel.pages.maintenance")),
    path("rotations/", include("iotpanel.pages.rotations")),
    path("channels/", include("iotpanel.pages.channels")),
    path("search/", search.search, name="search"),
    path("tenant/", frame.switch_tenant, name="switch-tenant"),
    path("language/", frame.set_language, name="language"),
    path("no-tenant/", frame.no_tenant, name="no-tenant"),
    path("account/", account.account, name="account"),
    path("account/tokens/<str:token>/revoke/", account.revoke_token, name="revoke-token"),
    path("account/browsers/", include("iotpanel.pages.browsers")),
    path("ca.pem", trust.root_certificate, name="root-certificate"),
    path("sw.js", offline.worker_script, name="worker"),
    path("offline/", offline.offline, name="offline"),
    path("manifest.webmanifest", frame.manifest, name="manifest"),
]
