#pragma once

/// Below a class template's bodies: they are compiled once, in src/instantiate, for float and
/// double. With BRIDGETOWER_HEADER_ONLY every user's file compiles them, for any scalar.
#ifdef BRIDGETOWER_HEADER_ONLY
#define BRIDGETOWER_EXTERN_TEMPLATE(Class) static_assert(true)
#else
#define BRIDGETOWER_EXTERN_TEMPLATE(Class) \
  extern template class Class<float>;      \
  extern template class Class<double>
#endif
