#include "CJavaScriptCore.h"

#include <dlfcn.h>
#include <stdio.h>

static const char *const names[] = {
#ifdef __APPLE__
    "/System/Library/Frameworks/JavaScriptCore.framework/JavaScriptCore",
#else
    "libjavascriptcoregtk-4.1.so.0",
    "libjavascriptcoregtk-6.0.so.1",
    "libjavascriptcoregtk-4.0.so.18",
#endif
};

static struct JSEngine engine;

static const struct {
    const char *name;
    size_t offset;
    bool optional;
} symbols[] = {
#define NEEDED(name) {"JS" #name, offsetof(struct JSEngine, name), false}
#define OPTIONAL(name) {"JS" #name, offsetof(struct JSEngine, name), true}
    NEEDED(ContextGroupCreate),
    NEEDED(ContextGroupRelease),
    NEEDED(GlobalContextCreateInGroup),
    NEEDED(GlobalContextRelease),
    NEEDED(ContextGetGlobalObject),
    NEEDED(GarbageCollect),
    NEEDED(EvaluateScript),
    NEEDED(ClassCreate),
    NEEDED(ClassRelease),
    NEEDED(ObjectMake),
    NEEDED(ObjectGetPrivate),
    NEEDED(ObjectMakeFunction),
    NEEDED(ObjectCallAsFunction),
    NEEDED(ObjectMakeError),
    NEEDED(ObjectSetProperty),
    NEEDED(ObjectGetProperty),
    NEEDED(ValueGetTypedArrayType),
    NEEDED(ObjectMakeTypedArray),
    NEEDED(ObjectGetTypedArrayBytesPtr),
    NEEDED(ObjectGetTypedArrayByteLength),
    NEEDED(ObjectGetTypedArrayByteOffset),
    NEEDED(ValueIsUndefined),
    NEEDED(ValueIsObject),
    NEEDED(ValueMakeUndefined),
    NEEDED(ValueMakeBoolean),
    NEEDED(ValueMakeNumber),
    NEEDED(ValueMakeString),
    NEEDED(ValueToBoolean),
    NEEDED(ValueToNumber),
    NEEDED(ValueToStringCopy),
    NEEDED(ValueProtect),
    NEEDED(ValueUnprotect),
    NEEDED(StringCreateWithCharacters),
    NEEDED(StringRelease),
    NEEDED(StringGetLength),
    NEEDED(StringGetCharactersPtr),
    OPTIONAL(GlobalContextSetUnhandledRejectionCallback),
    OPTIONAL(SynchronousGarbageCollectForDebugging),
    {"jsc_options_set_boolean", offsetof(struct JSEngine, setBooleanOption), true},
    {"jsc_options_set_uint", offsetof(struct JSEngine, setUnsignedOption), true},
    {"jsc_options_set_size", offsetof(struct JSEngine, setSizeOption), true},
};

static const struct JSEngine *fill(void *library, const char *name, char *problem, size_t size) {
    for (size_t index = 0; index < sizeof symbols / sizeof symbols[0]; index++) {
        void *address = dlsym(library, symbols[index].name);
        if (!address && !symbols[index].optional) {
            snprintf(problem, size, "%s has no %s", name, symbols[index].name);
            return NULL;
        }
        *(void **)((char *)&engine + symbols[index].offset) = address;
    }
    engine.library = name;
    return &engine;
}

const struct JSEngine *JSEngineOpen(const char *name, char *problem, size_t size) {
    const char *const *candidates = name ? &name : names;
    size_t count = name ? 1 : sizeof names / sizeof names[0];
    for (size_t index = 0; index < count; index++) {
        void *library = dlopen(candidates[index], RTLD_NOW | RTLD_LOCAL);
        if (library) return fill(library, candidates[index], problem, size);
        // The first one is the one to name: it is the one to install.
        if (index == 0) {
            const char *reason = dlerror();
            snprintf(problem, size, "%s", reason ? reason : candidates[index]);
        }
    }
    return NULL;
}

void *JSEngineGetPrivate(JSObject object) { return engine.ObjectGetPrivate(object); }
