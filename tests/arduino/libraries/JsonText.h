// JSON values as a tree, and their text.
#pragma once
#include <Arduino.h>

struct JsonValue {
  enum Kind { NOTHING, BOOLEAN, INTEGER, REAL, TEXT, ARRAY, OBJECT } kind = NOTHING;
  long long integer = 0;
  double real = 0;
  String text, key;
  JsonValue *first = nullptr, *next = nullptr;

  JsonValue() {}
  JsonValue(const JsonValue&) = delete;
  ~JsonValue() { clear(); }
  void clear() {
    kind = NOTHING;
    while (JsonValue* gone = first) {
      first = gone->next;
      delete gone;
    }
  }
  void set(const char* from) {
    clear();
    kind = from ? TEXT : NOTHING;
    text = from ? from : "";
  }
  void set(double number) {
    clear();
    kind = REAL;
    real = number;
  }
  void set(Kind as, long long number) {
    clear();
    kind = as;
    integer = number;
  }
  void copy(const JsonValue* other) {
    if (other == this) return;
    clear();
    if (!other) return;
    kind = other->kind;
    integer = other->integer;
    real = other->real;
    text = other->text;
    for (JsonValue* each = other->first; each; each = each->next) add(each->key)->copy(each);
  }
  JsonValue* find(const char* sought) const {
    JsonValue* each = first;
    while (each && each->key != sought) each = each->next;
    return each;
  }
  JsonValue* member(const char* sought) {
    if (kind != OBJECT) clear();
    kind = OBJECT;
    JsonValue* known = find(sought);
    return known ? known : add(sought);
  }
  JsonValue* add(const String& under) {
    JsonValue** last = &first;
    while (*last) last = &(*last)->next;
    *last = new JsonValue;
    (*last)->key = under;
    return *last;
  }
};

inline void jsonQuote(const String& text, String& out) {
  out += '"';
  for (const char* each = text.c_str(); *each; each++) {
    char code[8];
    snprintf(code, sizeof code, (unsigned char)*each < 32 ? "\\u%04x" : strchr("\"\\", *each) ? "\\%c" : "%c", *each);
    out += code;
  }
  out += '"';
}

inline void jsonWrite(const JsonValue* value, String& out) {
  char number[32];
  bool object = value && value->kind == JsonValue::OBJECT;
  switch (value ? value->kind : JsonValue::NOTHING) {
    case JsonValue::NOTHING: out += "null"; break;
    case JsonValue::BOOLEAN: out += value->integer ? "true" : "false"; break;
    case JsonValue::TEXT: jsonQuote(value->text, out); break;
    case JsonValue::INTEGER:
      snprintf(number, sizeof number, "%lld", value->integer);
      out += number;
      break;
    case JsonValue::REAL:
      snprintf(number, sizeof number, "%.9g", value->real);
      out += number;
      break;
    default:
      out += object ? '{' : '[';
      for (JsonValue* each = value->first; each; each = each->next) {
        if (each != value->first) out += ',';
        if (object) {
          jsonQuote(each->key, out);
          out += ':';
        }
        jsonWrite(each, out);
      }
      out += object ? '}' : ']';
  }
}

class JsonReader {
 public:
  JsonReader(const char* text, size_t count) : text(text, count), at(this->text.c_str()) {}
  bool read(JsonValue& into, int depth = 10) {  // the library's own limit
    space();
    if (*at == '{' || *at == '[') return depth > 0 && inside(into, depth - 1);
    if (*at == '"') {
      into.kind = JsonValue::TEXT;
      return quoted(into.text);
    }
    if (word("true")) return into.set(JsonValue::BOOLEAN, 1), true;
    if (word("false")) return into.set(JsonValue::BOOLEAN, 0), true;
    if (word("null")) return true;
    return number(into);
  }

 private:
  void space() { at += strspn(at, " \t\r\n"); }
  bool word(const char* sought) {
    bool same = strncmp(at, sought, strlen(sought)) == 0;
    if (same) at += strlen(sought);
    return same;
  }
  bool inside(JsonValue& into, int depth) {
    char end = *at == '{' ? '}' : ']';
    into.kind = *at++ == '{' ? JsonValue::OBJECT : JsonValue::ARRAY;
    for (space(); *at != end; space()) {
      String key;
      if (into.first && *at++ != ',') return false;
      space();
      if (end == '}') {
        if (!quoted(key)) return false;
        space();
        if (*at++ != ':') return false;
      }
      if (!read(*into.add(key), depth)) return false;
    }
    at++;
    return true;
  }
  bool quoted(String& into) {
    if (*at++ != '"') return false;
    for (; *at && *at != '"'; at++) {
      if (*at != '\\') {
        into += *at;
      } else if (*++at == 'u') {
        unsigned int code = strtoul(String(at + 1, 4).c_str(), nullptr, 16);
        at += 4;
        if (code >= 0x800) into += char(0xE0 | code >> 12);
        if (code >= 0x80) into += char(code >= 0x800 ? 0x80 | (code >> 6 & 0x3F) : 0xC0 | code >> 6);
        into += char(code >= 0x80 ? 0x80 | (code & 0x3F) : code);
      } else {
        const char* known = strchr("b\bf\fn\nr\rt\t", *at);
        into += known ? known[1] : *at;
      }
    }
    return *at++ == '"';
  }
  bool number(JsonValue& into) {
    char* end;
    size_t count = strspn(at, "-+0123456789.eE");
    String digits(at, count);
    if (strpbrk(digits.c_str(), ".eE")) into.set(strtod(digits.c_str(), &end));
    else into.set(JsonValue::INTEGER, strtoll(digits.c_str(), &end, 10));
    at += count;
    return count > 0 && *end == 0;
  }

  String text;
  const char* at;
};
