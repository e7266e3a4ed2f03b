#pragma once
#include <Flash.h>
