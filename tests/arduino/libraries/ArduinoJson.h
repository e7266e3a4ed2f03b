// The counterpart of ArduinoJson 7 (Benoit Blanchon): documents, members and variants, with the types that it tells apart. Reading
// what is missing makes nothing; a member can be assigned from, and not kept (since 7.3).
#pragma once
#include "JsonText.h"

class JsonObject;  // only asked for by `is`

// What JsonDocument, JsonVariant and a member have in common. `found` is null where there is nothing; `made` makes it.
template <class Me>
class JsonAccess {
 public:
  template <class T>
  bool is() const {
    return holds(mine().found(), (T*)nullptr);
  }
  template <class T>
  T as() const {
    return read(mine().found(), (T*)nullptr);
  }
  bool isNull() const { return !mine().found() || mine().found()->kind == JsonValue::NOTHING; }

 private:
  const Me& mine() const { return *static_cast<const Me*>(this); }
  template <class T>
  static bool whole() {
    return T(0.5) == T(0);
  }
  template <class T>
  static bool holds(const JsonValue* value, T*) {  // a number: 3 is a float too, 3.0 no int
    if (!value) return false;
    return (value->kind == JsonValue::INTEGER && T(value->integer) == value->integer) || (value->kind == JsonValue::REAL && !whole<T>());
  }
  static bool holds(const JsonValue* value, bool*) { return value && value->kind == JsonValue::BOOLEAN; }
  static bool holds(const JsonValue* value, const char**) { return value && value->kind == JsonValue::TEXT; }
  static bool holds(const JsonValue* value, JsonObject*) { return value && value->kind == JsonValue::OBJECT; }
  template <class T>
  static T read(const JsonValue* value, T*) {
    if (!value) return 0;
    if (value->kind == JsonValue::TEXT) return T(atof(value->text.c_str()));
    return value->kind == JsonValue::REAL ? T(value->real) : T(value->integer);
  }
  static const char* read(const JsonValue* value, const char**) { return holds(value, (const char**)nullptr) ? value->text.c_str() : nullptr; }
  static String read(const JsonValue* value, String*) {
    String text;
    if (holds(value, (const char**)nullptr)) return value->text;
    jsonWrite(value, text);
    return text;
  }
};

template <class Me, class T>
T operator|(const JsonAccess<Me>& value, const T& otherwise) {
  return value.template is<T>() ? value.template as<T>() : otherwise;
}
template <class Me, size_t N>
const char* operator|(const JsonAccess<Me>& value, const char (&otherwise)[N]) {
  return value.template is<const char*>() ? value.template as<const char*>() : otherwise;
}

template <class Up>
class JsonMember : public JsonAccess<JsonMember<Up>> {
 public:
  JsonMember(const Up& up, const char* key) : up(up), key(key) {}
  JsonMember(const JsonMember&) = delete;
  JsonMember& operator=(const JsonMember& other) { return put(other, 0); }
  JsonMember& operator=(const char* text) { return put(text); }
  template <class T>
  JsonMember& operator=(const T& from) {
    return put(from, 0);
  }
  JsonMember<JsonMember> operator[](const char* inner) const { return {*this, inner}; }
  JsonValue* found() const { return up.found() ? up.found()->find(key) : nullptr; }
  JsonValue* made() const { return up.made() ? up.made()->member(key) : nullptr; }

 private:
  template <class T>
  auto put(const T& from, int) -> decltype(from.found(), *this) {  // another value
    if (JsonValue* mine = made()) mine->copy(from.found());
    return *this;
  }
  template <class T>
  JsonMember& put(T number, long) {
    JsonValue* mine = made();
    if (mine && T(0.5) == T(0)) mine->set(JsonValue::INTEGER, number);
    else if (mine) mine->set(double(number));
    return *this;
  }
  JsonMember& put(bool yes, long) {
    if (JsonValue* mine = made()) mine->set(JsonValue::BOOLEAN, yes);
    return *this;
  }
  JsonMember& put(const char* text) {
    if (JsonValue* mine = made()) mine->set(text);
    return *this;
  }
  const Up& up;
  const char* key;
};

class JsonVariant : public JsonAccess<JsonVariant> {
 public:
  JsonVariant() {}
  template <class Up>
  JsonVariant(const JsonMember<Up>& member) : value(member.found()) {}
  JsonMember<JsonVariant> operator[](const char* key) const { return {*this, key}; }
  JsonValue* found() const { return value; }
  JsonValue* made() const { return value; }

 private:
  JsonValue* value = nullptr;
};

class JsonDocument : public JsonAccess<JsonDocument> {
 public:
  JsonDocument() {}
  JsonDocument(const JsonDocument& other) { root.copy(&other.root); }
  JsonDocument& operator=(const JsonDocument& other) {
    root.copy(&other.root);
    return *this;
  }
  void clear() { root.clear(); }
  JsonMember<JsonDocument> operator[](const char* key) const { return {*this, key}; }
  JsonValue* found() const { return &root; }
  JsonValue* made() const { return &root; }

 private:
  mutable JsonValue root;
};

class DeserializationError {
 public:
  DeserializationError(bool bad) : bad(bad) {}
  explicit operator bool() const { return bad; }

 private:
  bool bad;
};

inline DeserializationError deserializeJson(JsonDocument& document, const uint8_t* text, size_t count) {
  document.clear();
  return !JsonReader((const char*)text, count).read(*document.made());
}

inline size_t serializeJson(const JsonDocument& document, String& text) {
  text = "";
  jsonWrite(document.found(), text);
  return text.length();
}
