// Arduino's String: text on the heap, copied by value.
#pragma once

class String {
 public:
  String(const char* from = "") { take(from, strlen(from)); }
  String(const char* from, unsigned int count) { take(from, count); }
  String(const String& other) { take(other.text, other.size); }
  ~String() { free(text); }
  String& operator=(const String& other) {
    if (this != &other) {
      free(text);
      take(other.text, other.size);
    }
    return *this;
  }

  const char* c_str() const { return text; }
  unsigned int length() const { return size; }
  int toInt() const { return atoi(text); }
  int indexOf(char sought) const {
    const char* found = strchr(text, sought);
    return found ? found - text : -1;
  }
  bool startsWith(const String& other) const { return strncmp(text, other.text, other.size) == 0; }
  bool equalsIgnoreCase(const String& other) const { return strcasecmp(text, other.text) == 0; }
  String substring(unsigned int begin) const { return substring(begin, size); }
  String substring(unsigned int begin, unsigned int end) const {
    end = end < size ? end : size;
    return begin < end ? String(text + begin, end - begin) : String();
  }
  bool concat(const char* more, unsigned int count) {
    text = (char*)realloc(text, size + count + 1);
    memcpy(text + size, more, count);
    size += count;
    text[size] = 0;
    return true;
  }
  String& operator+=(const String& other) {
    String more(other);  // it may be this very one
    concat(more.text, more.size);
    return *this;
  }
  String& operator+=(char one) {
    concat(&one, 1);
    return *this;
  }
  friend String operator+(const String& left, const String& right) {
    String both(left);
    both += right;
    return both;
  }
  friend bool operator==(const String& left, const String& right) { return strcmp(left.text, right.text) == 0; }
  friend bool operator!=(const String& left, const String& right) { return !(left == right); }

 private:
  void take(const char* from, unsigned int count) {
    text = (char*)malloc(count + 1);
    memcpy(text, from, count);
    text[count] = 0;
    size = count;
  }
  char* text;
  unsigned int size;
};
