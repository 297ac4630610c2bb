#include <libxml/xmlversion.h>
// ICU's headers contradict those of Swift's Foundation; what they change is looked into by nobody here.
#undef LIBXML_ICU_ENABLED
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <libxml/c14n.h>
