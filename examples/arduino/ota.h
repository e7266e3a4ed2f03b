// Updates over the air for device.ino: fetched by HTTP, checked, installed; the sketch includes this behind `say`.
// Libraries: Crypto (Rhys Weatherley) for SHA-256 and Ed25519; HTTPClient and Update come with the board.
//
// The image goes straight into the half of the flash that does not run, and its SHA-256 is taken on the way. Its last piece is
// written only where that is the one that was announced and, where SIGNED is defined, the signature is the key's: a half that
// is not whole is never started, whatever happens.

#pragma once
#include <Ed25519.h>
#include <SHA256.h>
#if defined(ESP8266)
#include <ESP8266HTTPClient.h>
#include <Updater.h>
#else
#include <HTTPClient.h>
#include <Update.h>
#endif

const char* VERSION = "1.0.0";  // of this very program: the platform takes it as proof
// #define SIGNED
const uint8_t PUBLIC_KEY[32] = {0};  // the product's, where SIGNED is defined

void progress(const char* version, const char* state, int percent, const char* error) {
  JsonDocument body;
  body["version"] = version;
  body["state"] = state;
  if (percent >= 0) body["progress"] = percent;
  if (error) body["error"] = error;
  say("ota", body);
}

// Waits, and stays in touch with the broker meanwhile.
void stayFor(unsigned long ms) {
  for (unsigned long begin = millis(); millis() - begin < ms; delay(50)) mqtt.loop();
}

void refuse(const char* version, const char* error) {
  Update.end();  // of an image that is not whole: both boards give it up
  progress(version, "failed", -1, error);
}

enum Fetched { WHOLE, CUT_SHORT, EXPIRED };
const int TRIES = 10;  // of a server that serves many others at this moment
JsonDocument offer;    // what devices/{key}/down/ota held last, until `loop` comes to it
bool busy = false;
uint8_t piece[1024];   // of the image
size_t held = 0;       // bytes in it

// The image into the flash, but for the last piece; its digest into `digest`.
Fetched fetch(const char* url, size_t size, const char* version, uint8_t digest[32]) {
  WiFiClient link;  // before `http`, which says goodbye to it at the end
  HTTPClient http;
  int answer = 0;
  for (int n = 0; n < TRIES; n++) {
    if (n) stayFor(5000);
    if (!http.begin(link, url)) return CUT_SHORT;
    answer = http.GET();
    if (answer > 0 && answer != HTTP_CODE_SERVICE_UNAVAILABLE && answer != HTTP_CODE_TOO_MANY_REQUESTS) break;
    http.end();
  }
  if (answer == HTTP_CODE_FORBIDDEN) return EXPIRED;
  if (answer != HTTP_CODE_OK || http.getSize() != (int)size || !Update.begin(size)) return CUT_SHORT;
  SHA256 sha;
  size_t done = 0;
  int told = 0;
  while (done < size && http.connected()) {
    size_t wanted = min(sizeof(piece), size - done);
    held = http.getStream().readBytes(piece, wanted);
    if (held < wanted) break;  // nothing came for seconds
    sha.update(piece, held);
    if (done + held < size && Update.write(piece, held) != held) break;
    done += held;
    mqtt.loop();  // else the broker takes us for gone on a slow link
    if ((int)(100 * done / size) >= told + 10) {
      told = 100 * done / size;
      progress(version, "downloading", told, nullptr);
    }
  }
  http.end();
  sha.finalize(digest, 32);
  return done == size ? WHOLE : CUT_SHORT;
}

bool fromHex(const char* text, uint8_t* bytes, size_t count) {
  if (!text || strlen(text) != 2 * count) return false;
  for (size_t n = 0; n < count; n++) {
    char pair[3] = {text[2 * n], text[2 * n + 1], 0};
    bytes[n] = strtoul(pair, nullptr, 16);
  }
  return true;
}

bool fromBase64(const char* text, uint8_t* bytes, size_t count) {
  const char* digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  uint32_t bits = 0;
  int kept = 0;
  size_t done = 0;
  for (; text && *text && *text != '='; text++) {
    const char* found = strchr(digits, *text);
    if (!found) return false;
    bits = (bits << 6) | (found - digits);
    kept += 6;
    if (kept >= 8) {
      kept -= 8;
      if (done == count) return false;
      bytes[done++] = bits >> kept;
    }
  }
  return done == count;
}

// Ends in a restart, or in a word about what was wrong.
void install(const char* version) {
  uint8_t digest[32], wanted[32];
  Fetched fetched = fetch(offer["url"] | "", offer["size"] | 0, version, digest);
  if (fetched == EXPIRED) {  // no fault of the image: `{}` asks for a new address
    stayFor(1000);
    mqtt.publish(up("ota").c_str(), "{}");
    return;
  }
  if (fetched != WHOLE) return refuse(version, "the image could not be fetched");
  progress(version, "verifying", 100, nullptr);
  if (!fromHex(offer["sha256"] | "", wanted, 32) || memcmp(digest, wanted, 32) != 0) return refuse(version, "the SHA-256 differs");
#ifdef SIGNED
  uint8_t signature[64];
  if (!fromBase64(offer["signature"] | "", signature, 64) || !Ed25519::verify(signature, PUBLIC_KEY, digest, 32))
    return refuse(version, "the signature is wrong");
#endif
  progress(version, "installing", 100, nullptr);
  if (Update.write(piece, held) != held || !Update.end()) return refuse(version, "the image could not be written");
  ESP.restart();  // after the start VERSION is the new one, and `announce` says so
}

// Only kept here, where PubSubClient waits to acknowledge it: a restart would come before that, and the broker would say it
// again after each. An offer may also come while we are at it.
void update(JsonDocument& body) {
  if (!busy) offer = body;
}

void takeOffer() {
  if (offer.isNull()) return;
  String version = offer["version"].as<String>();
  busy = true;
  if (version == VERSION) progress(VERSION, "succeeded", 100, nullptr);
  else install(version.c_str());
  offer.clear();
  busy = false;
}

// After each connection: the platform learns what came of an update, and offers one that is open again.
void announce() {
  JsonDocument body;
  body["version"] = VERSION;
  say("ota", body);
}
