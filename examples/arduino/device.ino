// A device on an ESP32 or ESP8266: telemetry, commands, shadow and updates over MQTT.
// Libraries: PubSubClient (Nick O'Leary) and ArduinoJson 7 (Benoit Blanchon), both in the library manager.
//
// PubSubClient publishes at QoS 0 only: a reading can be lost on a bad link. Commands are subscribed at QoS 1, so the
// broker repeats them, and a remembered id keeps us from carrying one out twice.

#include <ArduinoJson.h>
#include <PubSubClient.h>
#if defined(ESP8266)
#include <ESP8266WiFi.h>
#else
#include <WiFi.h>
#endif
#ifndef LED_BUILTIN
#define LED_BUILTIN 2  // many ESP32 boards do not say where theirs is
#endif

const char* WIFI_NAME = "your network";
const char* WIFI_PASSWORD = "its password";
const char* HOST = "192.168.1.10";  // what the Connect tab shows
const int PORT = 1883;
const char* KEY = "my-device";
const char* SECRET = "shown once when the device was made";

WiFiClient network;
PubSubClient mqtt(network);
unsigned long interval = 5000;  // ms; the shadow sets it, in seconds
unsigned long saidAt = 0;
const int REMEMBERED = 8;  // commands whose replies are kept, until power fails: keep them in flash where a repetition does harm
String commands[REMEMBERED], replies[REMEMBERED];
int newest = 0;

String up(const String& rest) { return String("devices/") + KEY + "/up/" + rest; }

void say(const String& rest, JsonDocument& body) {
  String text;
  serializeJson(body, text);
  mqtt.publish(up(rest).c_str(), text.c_str());
}

#include "ota.h"

void carryOut(JsonDocument& command, JsonDocument& reply) {
  const char* name = command["name"] | "";
  if (strcmp(name, "blink") == 0) {
    int times = constrain(command["params"]["times"] | 1.0, 0.0, 10.0);  // 2.0 is no int to ArduinoJson
    for (int n = 0; n < times; n++) {
      digitalWrite(LED_BUILTIN, HIGH);
      delay(100);
      digitalWrite(LED_BUILTIN, LOW);
      delay(100);
    }
    reply["status"] = "ok";
    reply["result"]["blinked"] = times;
  } else {
    reply["status"] = "error";
    reply["error"] = "no such command";
  }
}

void obey(const String& id, JsonDocument& command) {
  int place = 0;
  while (place < REMEMBERED && commands[place] != id) place++;
  if (place == REMEMBERED) {  // one we have carried out already is only answered again
    JsonDocument reply;
    carryOut(command, reply);
    place = newest = (newest + 1) % REMEMBERED;
    commands[place] = id;
    replies[place] = "";
    serializeJson(reply, replies[place]);
  }
  mqtt.publish(up("commands/" + id + "/reply").c_str(), replies[place].c_str());
}

void follow(JsonDocument& shadow) {
  // The whole one, which comes after each connection, tells what we have forgotten since a report; later ones what is not so yet.
  JsonVariant wanted = shadow[shadow["desired"].is<JsonObject>() ? "desired" : "delta"]["interval"];
  double seconds = wanted | 0.0;
  if (seconds < 0.1 || seconds > 3600) return;
  interval = seconds * 1000;
  JsonDocument report;
  report["reported"]["interval"] = wanted;  // to the last digit: what differs is still open, and would come again
  report["version"] = shadow["version"];
  say("shadow", report);
}

void onMessage(char* topic, byte* payload, unsigned int length) {
  JsonDocument body;
  if (deserializeJson(body, payload, length)) return;
  String rest = String(topic).substring(String("devices/").length() + strlen(KEY) + String("/down/").length());
  if (rest.startsWith("commands/")) obey(rest.substring(9), body);
  else if (rest == "shadow") follow(body);
  else if (rest == "ota") update(body);
}

void comeOnline() {
  while (!mqtt.connected()) {
    // The last will says `offline` for us when we vanish; the last argument asks for a session that is kept.
    if (mqtt.connect(KEY, KEY, SECRET, up("status").c_str(), 1, false, "offline", false)) {
      mqtt.subscribe((String("devices/") + KEY + "/down/#").c_str(), 1);
      mqtt.publish(up("status").c_str(), "online");
      mqtt.publish(up("shadow").c_str(), "{}");  // asks for the whole shadow
      announce();
    } else {
      delay(2000);
    }
  }
}

void setup() {
  pinMode(LED_BUILTIN, OUTPUT);
  WiFi.begin(WIFI_NAME, WIFI_PASSWORD);
  while (WiFi.status() != WL_CONNECTED) delay(200);
  mqtt.setServer(HOST, PORT);
  mqtt.setBufferSize(2048);  // what is longer is neither sent nor heard
  mqtt.setCallback(onMessage);
}

void loop() {
  if (!mqtt.connected()) comeOnline();
  mqtt.loop();
  takeOffer();
  if (millis() - saidAt >= interval) {
    saidAt = millis();
    JsonDocument report;
    report["uptime"] = millis() / 1000;
    report["rssi"] = WiFi.RSSI();
    say("telemetry", report);
  }
}
