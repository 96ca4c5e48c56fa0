#include "sealed.h"
