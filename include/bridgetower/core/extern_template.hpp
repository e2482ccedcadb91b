#pragma once

/// Below a class template's bodies: they are compiled once, in src/instantiate, for float and
/// double.
#define BRIDGETOWER_EXTERN_TEMPLATE(Class) \
  extern template class Class<float>;      \
  extern template class Class<double>
