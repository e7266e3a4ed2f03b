// HTTPClient of both cores: one request at a time over a client that has to live longer than this.
#pragma once
#include <WiFiClient.h>

enum t_http_codes {
  HTTP_CODE_OK = 200,
  HTTP_CODE_FORBIDDEN = 403,
  HTTP_CODE_TOO_MANY_REQUESTS = 429,
  HTTP_CODE_SERVICE_UNAVAILABLE = 503,
};
#define HTTPC_ERROR_CONNECTION_REFUSED (-1)
#define HTTPC_ERROR_READ_TIMEOUT (-11)

class HTTPClient {
 public:
  ~HTTPClient() {
    if (client) client->stop();
  }
  bool begin(WiFiClient& over, const String& url) {
    client = &over;
    size = -1;
    if (!url.startsWith("http://")) return false;
    String rest = url.substring(7);
    int slash = rest.indexOf('/');
    host = rest.substring(0, slash);
    uri = rest.substring(slash);
    int colon = host.indexOf(':');
    port = colon < 0 ? 80 : host.substring(colon + 1).toInt();
    if (colon >= 0) host = host.substring(0, colon);
    return true;
  }
  int GET() {
    if (!client->connect(host.c_str(), port)) return HTTPC_ERROR_CONNECTION_REFUSED;
    client->setTimeout(5000);
    String request = "GET " + uri + " HTTP/1.1\r\nHost: " + host + "\r\nConnection: keep-alive\r\n\r\n";
    client->write((const uint8_t*)request.c_str(), request.length());
    int code = line().substring(9).toInt();  // HTTP/1.1 200 OK
    for (String header = line(); header.length(); header = line())
      if (header.substring(0, 15).equalsIgnoreCase("content-length:")) size = header.substring(15).toInt();
    return code ? code : HTTPC_ERROR_READ_TIMEOUT;
  }
  int getSize() { return size; }  // -1 where the server does not say
  bool connected() { return client && client->connected(); }
  WiFiClient& getStream() { return *client; }
  void end() {
    while (connected() && client->available()) client->read();
  }

 private:
  String line() {
    String text;
    for (uint8_t one; client->readBytes(&one, 1) == 1 && one != '\n';)
      if (one != '\r') text += (char)one;
    return text;
  }
  WiFiClient* client = nullptr;
  String host, uri;
  uint16_t port = 80;
  int size = -1;
};
